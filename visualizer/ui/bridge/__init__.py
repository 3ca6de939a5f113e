"""Between session and Qt: the worker thread, background work, the base of a panel."""
