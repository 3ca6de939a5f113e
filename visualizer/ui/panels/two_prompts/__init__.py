"""The two prompts panel and its parts."""
