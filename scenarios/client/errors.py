"""What can go wrong with one request, in words that count equal failures together."""

from __future__ import annotations

import errno
from typing import Final

from scenarios.operation import Failed, GeneratorError

OWN_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})
"""Open files, ports and buffers that this machine has run out of."""


class TimeIsUp(BaseException):
    """Thrown into a request that takes too long. Not an ``Exception``: nothing on the way between
    the event loop and the client may take it for trouble of its own."""


def of_system(error: OSError, *, otherwise: str) -> Failed | GeneratorError:
    """The error to raise for one of the system: ours, or the service's.

    Args:
        error: What the system said.
        otherwise: What it means for the request, such as "no connection".
    """
    if error.errno in OWN_ERRNOS:
        return GeneratorError(f"{in_words(error)}: raise the limit, or use more --workers")
    return Failed(f"{otherwise}: {in_words(error)}")


def in_words(error: BaseException) -> str:
    """An error without what differs each time, such as the address."""
    text = getattr(error, "strerror", None) or str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
