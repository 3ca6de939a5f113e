"""The one matrix view."""
