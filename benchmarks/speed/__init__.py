"""How fast it runs: digits, frames, starts, and what boards would take."""
