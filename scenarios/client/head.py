"""The bytes of a request: what stays the same is prepared once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from palier.errors import ConfigError
from scenarios.operation import ScenarioError

ACCEPT_ENCODING: Final = "gzip, deflate"
"""What ``Answer.body`` can undo; browsers ask for brotli as well."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go.

    Attributes:
        host: Name or address, without brackets.
        port: Port.
        tls: True for https.
        prefix: Path of the base address, put before every path.
        authorization: Value of the header of that name, from a name and password in the address.
    """

    host: str
    port: int
    tls: bool
    prefix: str
    authorization: str | None

    @classmethod
    def of(cls, base_url: str) -> Origin:
        """The origin of a base address, such as ``https://staging.example:8443/shop``.

        Raises:
            ConfigError: It is no address of a web service.
        """
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                what=f"{base_url!r} is no address of a web service",
                where="--host",
                fix="write it as http://name:port or https://name",
            )
        tls = parts.scheme == "https"
        authorization = None
        if parts.username and parts.password:
            pair = f"{unquote(parts.username)}:{unquote(parts.password)}"
            authorization = "Basic " + b64encode(pair.encode("latin-1")).decode("ascii")
        return cls(
            host=parts.hostname,
            port=port or (443 if tls else 80),
            tls=tls,
            prefix=parts.path.rstrip("/"),
            authorization=authorization,
        )

    @property
    def netloc(self) -> str:
        """As in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base address, without name and password."""
        return f"{'https' if self.tls else 'http'}://{self.netloc}{self.prefix}"


class Heads:
    """Makes the heads of requests to one origin.

    Args:
        origin: Where they go.
        defaults: Headers of every request that does not name them itself.
    """

    def __init__(self, origin: Origin, defaults: Mapping[str, str]) -> None:
        usual = {
            "Host": origin.netloc,
            "User-Agent": "palier",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        if origin.authorization is not None:
            usual["Authorization"] = origin.authorization
        self._prefix = origin.prefix
        self._defaults = {name.lower(): (name, value) for name, value in usual.items()}
        self._defaults |= {name.lower(): (name, value) for name, value in defaults.items()}
        self._tails: dict[frozenset[str], str] = {}
        self._usual = self._tail(frozenset())
        self._methods: dict[str, str] = {}

    def head(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        length: int | None,
        cookie: str = "",
    ) -> bytes:
        """The head of a request.

        Args:
            method: HTTP method.
            path: Path with query, below the origin's prefix.
            headers: Further headers.
            length: Bytes of the body; None without one.
            cookie: Value of the header Cookie; empty for none.

        Raises:
            ScenarioError: It would not be a request.
        """
        begin = self._methods.get(method) or self._begin(method)
        if not (path.isascii() and path.isprintable()) or " " in path or path[:1] != "/":
            raise ScenarioError("a path begins with / and has no blanks; quote what is unusual")
        if headers:
            lines, tail = self._with(headers)
        else:
            lines, tail = "", self._usual
        if length is not None:
            lines += f"Content-Length: {length}\r\n"
            if length and (not headers or "content-type" not in map(str.lower, headers)):
                lines += "Content-Type: application/json\r\n"
        if cookie:
            lines += f"Cookie: {cookie}\r\n"
        return f"{begin}{path} HTTP/1.1\r\n{tail}{lines}\r\n".encode("latin-1")

    def _begin(self, method: str) -> str:
        if not (method.isascii() and method.isalpha()) or method.upper() in ("CONNECT", "TRACE"):
            raise ScenarioError(f"{method} is no method for a scenario")
        begin = self._methods[method] = f"{method.upper()} {self._prefix}"
        return begin

    def _with(self, headers: Mapping[str, str]) -> tuple[str, str]:
        """Lines of a request's own headers, and of the defaults that it leaves."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ScenarioError("a header with a line end in it")
        named = self._defaults.keys() & {name.lower() for name in headers}
        return lines, self._tail(frozenset(named)) if named else self._usual

    def _tail(self, without: frozenset[str]) -> str:
        tail = self._tails.get(without)
        if tail is None:
            tail = self._tails[without] = "".join(
                f"{name}: {value}\r\n"
                for key, (name, value) in self._defaults.items()
                if key not in without
            )
        return tail
