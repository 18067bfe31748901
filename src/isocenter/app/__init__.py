"""The roof: the only place where the two wings meet."""
