"""The panels: one file each, none of which knows another."""
