"""Sinks: outputs for readings and events, and pictures drawn from them."""
