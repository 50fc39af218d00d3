"""A variant: the architecture a tier stands for, one switch a measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Switches of the reference application and its stack. Each value is a real code path."""

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
