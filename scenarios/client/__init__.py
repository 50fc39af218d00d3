"""The lean HTTP client of the scenarios: one request, sent once, at a small part of the usual cost.

``client.py`` is the way in; why it is written and not taken: docs/decisions/0062-a-lean-client.md.
"""
