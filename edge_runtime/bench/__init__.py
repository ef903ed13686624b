"""`edge-digits bench`: the speed of this machine, and the record of the measurements."""
