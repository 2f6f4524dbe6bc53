"""A study: fitted, scored, tested, written to a folder."""
