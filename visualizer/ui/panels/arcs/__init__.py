"""The arcs panel and its parts."""
