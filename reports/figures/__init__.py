"""The figures of a report, drawn by matplotlib without its global state."""
