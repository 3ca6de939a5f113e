"""The timeline panel and its parts."""
