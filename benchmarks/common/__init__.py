"""Shared parts: limits, frames, turns, the full network, comparison."""
