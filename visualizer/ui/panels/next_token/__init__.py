"""The next token panel and its parts."""
