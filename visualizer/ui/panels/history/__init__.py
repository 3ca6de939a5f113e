"""The history panel and its parts."""
