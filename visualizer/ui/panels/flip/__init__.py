"""The flip panel and its parts."""
