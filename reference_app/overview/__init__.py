"""Reports of the office on the whole service (B-56)."""
