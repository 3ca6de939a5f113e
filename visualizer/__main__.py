"""`python -m visualizer` is the same as the command `visualizer`."""

from visualizer.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
