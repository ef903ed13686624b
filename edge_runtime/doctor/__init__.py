"""`edge-digits doctor` and `edge-digits selftest`: checks of this machine, each in a file of its own."""
