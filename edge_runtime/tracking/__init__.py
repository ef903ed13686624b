"""Converts readings of a moving picture to events: line tracking, and reading where the last frame had digits."""
