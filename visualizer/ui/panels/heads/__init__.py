"""The heads panel and its parts."""
