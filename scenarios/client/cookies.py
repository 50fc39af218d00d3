"""Cookies of one session with one origin: what RFC 6265 asks of a client, without a public suffix
list, which only matters between sites."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from scenarios.client.head import Origin


class _Cookie(NamedTuple):
    value: str
    ends: float | None
    secure: bool


class Cookies:
    """What a service has asked a session to send back. False while there is nothing."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._kept: dict[tuple[str, str], _Cookie] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()

    def header(self, path: str) -> str:
        """Value of the header Cookie for a path; empty for none."""
        path = self._origin.prefix + path.partition("?")[0]
        now = time.time()
        fitting = [
            (name, where, cookie.value)
            for (name, where), cookie in self._kept.items()
            if _covers(where, path)
            and (cookie.ends is None or cookie.ends > now)
            and (self._origin.tls or not cookie.secure)
        ]
        # The longer path first, as servers expect.
        fitting.sort(key=lambda one: -len(one[1]))
        return "; ".join(f"{name}={value}" for name, _, value in fitting)

    def take(self, head: bytes, path: str) -> None:
        """Keep those that the head of an answer to a request for ``path`` sets."""
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                self._set(value, self._origin.prefix + path.partition("?")[0])

    def _set(self, line: str, asked: str) -> None:
        pair, *rest = line.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            return
        said = {
            key.strip().lower(): said.strip()
            for key, _, said in (one.partition("=") for one in rest)
        }
        domain = said.get("domain", "").lstrip(".").lower()
        host = self._origin.host
        if domain and host != domain and not host.endswith("." + domain):
            return
        where = said.get("path", "")
        if not where.startswith("/"):
            where = asked.rpartition("/")[0] or "/"
        ends = _end(said)
        if ends is not None and ends <= time.time():
            self._kept.pop((name, where), None)
        else:
            self._kept[name, where] = _Cookie(value, ends, "secure" in said)


def _covers(where: str, path: str) -> bool:
    return path == where or path.startswith(where if where.endswith("/") else where + "/")


def _end(said: dict[str, str]) -> float | None:
    """When a cookie ends, in seconds since 1970; None for the end of the session."""
    age = said.get("max-age", "")
    if age.lstrip("-").isdigit():
        return time.time() + int(age)
    try:
        return parsedate_to_datetime(said["expires"]).timestamp()
    except (KeyError, ValueError):
        return None
