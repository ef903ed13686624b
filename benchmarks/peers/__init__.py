"""The same weights in other inference engines, in turns."""
