"""How the service is, looked at from inside: checks, their history, and alerts (B-59 ... B-61)."""
