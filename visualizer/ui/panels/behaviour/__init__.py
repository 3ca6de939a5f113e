"""The behaviour panel and its parts."""
