"""Speed: digits, frames, starts, and estimates for boards."""
