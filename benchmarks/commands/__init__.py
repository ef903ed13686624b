"""The commands of `python -m benchmarks`, which print, draw and judge what was measured."""
