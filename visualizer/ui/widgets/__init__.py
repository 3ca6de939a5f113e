"""Generic widgets and their manners, which know neither the session nor the panels."""
