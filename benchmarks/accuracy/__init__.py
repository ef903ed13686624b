"""Accuracy: single characters, pages, strings, videos, hard conditions."""
