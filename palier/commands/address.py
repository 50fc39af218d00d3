"""Addresses on the command line."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from palier.errors import ConfigError


def host_and_port(text: str, *, flag: str) -> tuple[str, int]:
    """The parts of ``HOST:PORT``.

    Raises:
        ConfigError: It is not that.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(
            what=f"{text!r} is not HOST:PORT", where=flag, fix="write e.g. 192.0.2.1:5557"
        )
    return host.strip("[]"), int(port)


def is_loopback(url: str) -> bool:
    """True when only this machine itself reaches the host of a URL."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
