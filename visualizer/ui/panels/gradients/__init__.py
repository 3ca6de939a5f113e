"""The gradients panel and its parts."""
