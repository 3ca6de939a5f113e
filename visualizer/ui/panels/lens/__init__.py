"""The lens panel and its parts."""
