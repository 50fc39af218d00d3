"""An answer: its parts are worked out when they are asked for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from scenarios.operation import Failed

BODY_LIMIT: Final = 64 << 20
"""Bytes of a body, as sent and as decompressed. More than any page; the memory of a loader with
thousands of sessions is at stake, and a few kilobytes of gzip can become gigabytes."""

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_BARE_DEFLATE: Final = -zlib.MAX_WBITS


class Headers(Mapping[str, str]):
    """Headers of an answer; names in any case. Values of a name that comes twice are joined."""

    __slots__ = ("_values",)

    def __init__(self, head: bytes) -> None:
        self._values: dict[str, str] = {}
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, colon, value = line.partition(":")
            if colon:
                name, value = name.lower(), value.strip()
                known = self._values.get(name)
                self._values[name] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Answer:
    """A whole answer, or what takes its place in Locust's event when none came (status 0).

    Attributes:
        status: HTTP status.
        url: What was asked.
        raw: The body as it came over the wire.
        head: Status line and headers, as they came.
        came_ns: When its last byte had come, an instant of ``time.monotonic_ns``.
    """

    _body: bytes | None = None
    _headers: Headers | None = None
    _lower: bytes | None = None

    def __init__(self, status: int, head: bytes, raw: bytes, url: str, came_ns: int) -> None:
        self.status = status
        self.head = head
        self.raw = raw
        self.url = url
        self.came_ns = came_ns

    @property
    def lower_head(self) -> bytes:
        """The head in lower case, to look for names in."""
        lower = self._lower
        if lower is None:
            lower = self._lower = self.head.lower()
        return lower

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, without parsing the others.

        Args:
            name: In lower case.
        """
        lower = self.lower_head
        found = lower.find(b"\r\n" + name + b":")
        if found < 0:
            return None
        begin = found + len(name) + 3
        return self.head[begin : lower.find(b"\r\n", begin)].strip()

    @property
    def headers(self) -> Headers:
        """Header names in any case to values."""
        if self._headers is None:
            self._headers = Headers(self.head)
        return self._headers

    @property
    def body(self) -> bytes:
        """The whole body, decompressed.

        Raises:
            Failed: It cannot be decompressed.
        """
        if self._body is None:
            coding = self.header(b"content-encoding")
            self._body = self.raw if coding is None else _decompressed(self.raw, coding)
        return self._body

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Failed: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failed("the body is not JSON") from error

    # names that listeners of Locust's request event know -------------------------------------

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def content(self) -> bytes:
        return self.body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 400


def _decompressed(raw: bytes, codings: bytes) -> bytes:
    body = raw
    for coding in reversed(codings.lower().split(b",")):
        body = _without(coding.strip(), body)
    return body


def _without(coding: bytes, body: bytes) -> bytes:
    if coding == b"identity" or not body:
        return body
    if coding in (b"gzip", b"x-gzip"):
        return _inflate(body, _GZIP_OR_ZLIB)
    if coding == b"deflate":
        # Named after zlib's format; some servers send the bare stream inside it.
        framed = body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflate(body, _GZIP_OR_ZLIB if framed else _BARE_DEFLATE)
    raise Failed(f"the body is compressed as {coding.decode('latin-1')}, which was not asked for")


def _inflate(body: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(body, BODY_LIMIT)
    except zlib.error as error:
        raise Failed("the body cannot be decompressed") from error
    if inflater.unconsumed_tail:
        raise Failed(f"the body is larger than {BODY_LIMIT >> 20} MiB")
    if not inflater.eof:
        raise Failed("the compressed body ends too early")
    return plain
