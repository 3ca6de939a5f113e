"""The explain panel and its parts."""
