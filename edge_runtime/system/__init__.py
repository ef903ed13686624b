"""The machine: files, folders, other programs, the board, energy, signals, native log output."""
