"""Requests to addresses that somebody else typed: calendars of platforms, webhooks of groups.

What may be asked is decided before each request: HTTP on its usual ports, no credentials, and
without a proxy only public addresses of the Internet. Decisions 0042 and 0088.
"""
