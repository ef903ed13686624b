"""`python -m edge_runtime` is `edge-digits`."""

from edge_runtime.cli import main

if __name__ == "__main__":
    main()
