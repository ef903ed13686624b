"""What several benchmarks share: limits, frames, turns, the full network, comparison."""
