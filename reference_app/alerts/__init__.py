"""The state of the service and its alerts over HTTP, for who runs it (B-59 ... B-61)."""
