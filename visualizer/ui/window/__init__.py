"""The window that puts the panels together."""
