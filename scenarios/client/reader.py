"""Finds the answer in the bytes of a connection; the parser is llhttp, in C."""

from __future__ import annotations

from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from scenarios.client.answer import BODY_LIMIT
from scenarios.operation import Failed

HEAD_LIMIT: Final = 64 << 10
"""Bytes of status line and headers; servers refuse to send a quarter of it."""

_END_OF_HEAD: Final = b"\r\n\r\n"


class Reader:
    """Reads one answer after the other from the bytes of one connection.

    Attributes:
        done: True when the answer is whole.
        status: Its status, then.
        keep_alive: True if the connection can be used again.
        began: True when a byte of it has come.
        head: Status line and headers, each with its line end; empty before they are whole.
        parts: The body, as it came.
    """

    __slots__ = (
        "_early",
        "_no_body",
        "_parser",
        "_received",
        "_surplus",
        "began",
        "done",
        "head",
        "keep_alive",
        "parts",
        "status",
    )

    def __init__(self) -> None:
        # Makes a cycle with the parser's references to our methods; ``close`` breaks it.
        self._parser: Any = HttpResponseParser(self)
        self._early = b""
        self._surplus = self.keep_alive = False
        self.status = 0
        self.expect(no_body=False)

    def expect(self, *, no_body: bool) -> None:
        """The next bytes are a new answer; the one before was whole, and nothing came after it.

        Args:
            no_body: True for an answer to HEAD, whose Content-Length is that of another answer.
        """
        self._no_body = no_body
        self.head = b""
        self.parts: list[bytes] = []
        self._received = 0
        self.done = self.began = False

    def close(self) -> None:
        """No further bytes: the collector is off while a loader runs, so leave nothing to it."""
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Take what has come; empty for the end of the connection.

        Raises:
            Failed: It is no answer, not a whole one, too large, or more than one.
        """
        if not data:
            self._end_of_connection()
            return
        self.began = True
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.keep_alive = False
        except HttpParserError as error:
            if not self.done:
                raise Failed(f"no whole answer: it is not HTTP ({error})") from None
            self._surplus = True
        if self._surplus:
            raise Failed("bytes after the end of the answer: its length is wrong")
        if not self.head:
            self._look_for_head(data)
        if self._received > BODY_LIMIT + HEAD_LIMIT:
            raise Failed(f"the body is larger than {BODY_LIMIT >> 20} MiB")

    def _look_for_head(self, data: bytes) -> None:
        if self._early:
            data, self._early = self._early + data, b""
        end = data.find(_END_OF_HEAD)
        while end >= 0 and data[9:10] == b"1" and data[9:12] != b"101":
            # "Continue" and the like, which nobody asked for, come before the answer itself.
            data = data[end + 4 :]
            end = data.find(_END_OF_HEAD)
        if end >= 0:
            self.head = data[: end + 2]
            if self._no_body:
                if len(data) > end + 4:
                    raise Failed("a body where none may be")
                if not self.done:
                    self._finish(int(data[9:12]))
        elif len(data) > HEAD_LIMIT:
            raise Failed(f"the head of the answer is larger than {HEAD_LIMIT >> 10} KiB")
        else:
            self._early = data

    def _end_of_connection(self) -> None:
        if not self.began:
            raise Failed("no whole answer: the connection was closed before it")
        if not self.head:
            raise Failed("no whole answer: the connection was closed within its head")
        lower = self.head.lower()
        if b"\r\ncontent-length:" in lower or b"\r\ntransfer-encoding:" in lower:
            raise Failed("no whole answer: the connection was closed within its body")
        # The old way to send a body of unknown length: its end is that of the connection.
        self._finish(int(lower[9:12]))

    def _finish(self, status: int) -> None:
        """Done by our own reckoning. The parser still waits: the connection has had its day."""
        self.done = True
        self.status = status
        self.keep_alive = False

    # called by the parser --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.done:
            self._surplus = True

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if status >= 200 or status == 101:
            self.done = True
            self.status = status
            self.keep_alive = parser.should_keep_alive()
