"""The report of a search for a capacity."""
