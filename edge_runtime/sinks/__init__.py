"""Sinks: where readings and events go, and the pictures that are drawn of them."""
