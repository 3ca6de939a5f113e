"""The compare panel and its parts."""
