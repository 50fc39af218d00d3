"""Why a calendar could not be synchronised, in words for its owner."""

from __future__ import annotations


class SyncError(Exception):
    """This run failed; the message goes into the task and the log."""


class AddressRefusedError(SyncError):
    """The address is none that may be asked: scheme, host, port or credentials."""


class FetchError(SyncError):
    """The platform gave no whole answer of 200 within the bounds."""


class FeedError(SyncError):
    """What the platform answered is no calendar that can be trusted."""
