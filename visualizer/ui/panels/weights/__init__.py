"""The weights panel and its parts."""
