"""The token strip panel and its parts."""
