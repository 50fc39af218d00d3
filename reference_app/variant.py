"""The switches of the architecture, as the harness writes them into ``APP_VARIANT``."""

from __future__ import annotations

from typing import Literal

import msgspec


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One switch a measure; every value is a real code path of the application or its schema, or
    a component beside it (``sync``, ``pooling``, ``web_cache``)."""

    indexes: Literal["none", "tier1", "full"] = "none"
    pagination: Literal["none", "offset", "keyset"] = "none"
    units_table: Literal["wide", "split_json", "split_flat"] = "wide"
    row_security: Literal["off", "naive", "indexed", "wrapped"] = "naive"
    cache: Literal["none", "memory", "redis"] = "none"
    views: Literal["live", "materialised"] = "live"
    sync: Literal["inline", "queue", "staggered"] = "inline"
    reads: Literal["primary", "replica"] = "primary"
    pooling: Literal["none", "app", "pgbouncer"] = "app"
    compression: bool = False
    web_cache: bool = False
    learning_cache: Literal["none", "simple", "bounded", "levels"] = "none"


def parse_variant(text: str) -> Variant:
    """Read a variant from JSON; switches that are left out keep their defaults.

    Raises:
        ValueError: Not JSON, an unknown switch, or an unknown value; the message names it.
    """
    try:
        return msgspec.json.decode(text, type=Variant)
    except msgspec.DecodeError as error:
        raise ValueError(f"bad variant {text!r}: {error}") from error
