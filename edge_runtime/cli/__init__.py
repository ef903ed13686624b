"""The command line: one file per command, the options in sections, and the output."""
