"""The command line: one file a command, the options in sections, and what is printed."""
