"""Guests (B-80 ... B-83): sheets that open with a token, asking for hours, and feedback.

``sheets`` and ``owner_routes`` are the owner's side, ``queries`` and ``guest_routes`` the guest's.
"""
