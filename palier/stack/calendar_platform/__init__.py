"""The booking platforms' calendars, played by a real HTTP server.

It is the whole outside world of the application: a forward proxy that answers for the platforms
itself, for receivers of webhooks and for a card processor, and lets nothing else through. So a run
needs no network, and a request that should never have been made is seen here instead of being sent.

The path decides what happens (``behaviour.py``, ``receivers.py``) or the card (``cards.py``), seed
and path decide what is in a feed (``feeds.py``), and ``GET /counts`` says what was asked for.
"""
