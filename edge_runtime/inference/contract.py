"""What the networks take and give: the version of the 28x28 contract, and the shapes of inputs and outputs."""

# Goes up whenever the same ink gives other bytes; a model file made for another version is refused.
CONTRACT_VERSION = 2
# Pixels: rows and columns of a digit in the 28x28 contract.
SIDE = 28
# Pixels: rows and columns of a strip, which shows a line of digits to the line network.
ROWS, COLUMNS = 32, 256
# The line network's last output, behind those of the ten digits: no digit begins or goes on here.
BLANK = 10
