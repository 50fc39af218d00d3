"""Whether a socket is ready at this moment, asked of the kernel past the event loop."""

from __future__ import annotations

from typing import Any

from gevent import monkey

# The patched poll would look into the event loop; asking the kernel takes a microsecond.
_poll: Any = monkey.get_original("select", "poll")


def polled(descriptor: int, events: int) -> Any:
    """A poll of one descriptor, to be asked with ``poll(0)`` as often as wanted.

    ``select`` cannot look at descriptors above 1,023.

    Args:
        descriptor: Of an open socket.
        events: ``select.POLLIN``, ``select.POLLOUT`` or both.
    """
    one = _poll()
    one.register(descriptor, events)
    return one
