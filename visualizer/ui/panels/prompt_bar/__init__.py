"""The prompt bar panel and its parts."""
