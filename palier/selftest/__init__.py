"""A server whose latency law is known, and what this machine can measure of it."""
