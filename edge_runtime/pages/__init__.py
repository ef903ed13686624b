"""The page generator: pages of handwriting as a camera shows them, with exact ground truth."""
