"""The flow panel and its parts."""
