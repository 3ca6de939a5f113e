"""The self check panel and its parts."""
