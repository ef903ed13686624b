"""Model file -> a folder of C sources for microcontrollers; docs/microcontrollers.md."""
