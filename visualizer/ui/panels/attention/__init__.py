"""The attention panel and its parts."""
