"""One module a command: options in, text out, exit code back; no rules of their own.

They are imported one at a time, when they are called: `palier tiers` needs no statistics and no
web server.
"""
