"""`edge-digits doctor` and `edge-digits selftest`: checks of this machine, each in its own file."""
