"""The networks' interface: the version of the 28x28 contract, and the shapes of inputs and outputs."""

# Increases whenever the same ink gives other bytes; a model file for another version is rejected.
CONTRACT_VERSION = 2
# Pixels: rows and columns of a digit in the 28x28 contract.
SIDE = 28
# Pixels: rows and columns of a strip, the line network's input.
ROWS, COLUMNS = 32, 256
# Index of the line network's blank output, after the ten digits: no digit starts or continues at this step.
BLANK = 10
