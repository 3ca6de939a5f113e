"""Theme and colours."""
