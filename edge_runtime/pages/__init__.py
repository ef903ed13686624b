"""The page generator: pages of handwriting with exact truth, as a camera would show them."""
