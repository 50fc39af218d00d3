"""Live plan changes (A4): what happened to a group's plan reaches its open screens.

The database numbers every change in the order of commits and says it on a channel
(``schema/351_live.sql``). Each process listens with one connection (``feed.py``), hands what it
hears to the sockets it concerns (``hub.py``), and each socket sends it (``sending.py``). Who was
away says which number it saw last and gets what came after it (``missed.py``), over a new socket
or by asking now and then. Decision 0084 says why it is built like that.
"""
