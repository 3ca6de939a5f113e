"""The parameters panel and its parts."""
