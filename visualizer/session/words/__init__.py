"""How things are called and numbers are written, once for the whole program."""
