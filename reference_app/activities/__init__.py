"""Things to do near a gîte (B-84)."""
