"""Whole readers that a user may pick in place of edge-digits: the same pictures, in turns."""
