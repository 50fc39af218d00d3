"""An answer that is sent while it is read, and lets go of what it is read from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, nullcontext
from typing import Self

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from reference_app.exports.lines import Cell, csv_lines

Batch = Sequence[Sequence[Cell]]


class CsvFile(ASGIResponse):
    """A file of CSV, sent batch by batch.

    Not Litestar's own Stream: that one cancels the task when the client leaves, perhaps in the
    middle of a database call that must not be broken off, and leaves the generator to the garbage
    collector. Here a client that left is noticed between two batches, and the rows are closed in
    any case.

    Args:
        name: What a browser calls the file.
        header: Names of the columns.
        first: The first batch.
        rest: The others; the answer closes it. None when the first is all there is.
    """

    __slots__ = ("_first", "_header", "_rest")

    _should_set_content_length = False

    def __init__(
        self,
        name: str,
        header: Sequence[str],
        first: Batch,
        rest: AsyncGenerator[Batch] | None = None,
    ) -> None:
        super().__init__(
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
            media_type="text/csv",
        )
        self._header = header
        self._first = first
        self._rest = rest

    @classmethod
    async def of(cls, name: str, header: Sequence[str], rows: AsyncGenerator[Batch]) -> Self:
        """The file of ``rows``, once the first are there: until then a refusal can still be told.

        Raises:
            psycopg.Error: The first batch could not be read.
        """
        first = await anext(rows, None)
        return cls(name, header, first or (), rows)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all; the rows are closed also when not even the first byte could be sent."""
        async with nullcontext() if self._rest is None else aclosing(self._rest):
            await super().__call__(scope, receive, send)

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send batch after batch until the end, or until the client has left."""
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await _send_part(send, csv_lines([self._header, *self._first]))
            if self._rest is not None:
                async for batch in self._rest:
                    if gone.done():
                        return
                    await _send_part(send, csv_lines(batch))
            await _send_part(send, b"", more=False)
        finally:
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_part(send: Send, part: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": more})
