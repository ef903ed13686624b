"""Readings of a moving picture -> events: tracking lines over frames, and reading where the last frame had digits."""
