"""`edge-digits bench`: how fast this machine is, and the record of what was measured."""
