"""A variant: the architecture a tier stands for, one switch a measure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args, get_type_hints

from palier.errors import ConfigError
from palier.model.didyoumean import suggestion


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
    learning_cache: Literal["none", "simple", "bounded", "levels"] = "none"


def override(variant: Variant, settings: Iterable[str]) -> Variant:
    """The variant with switches set as on the command line: ``["cache=redis"]``.

    Raises:
        ConfigError: Not ``switch=value``, an unknown switch, or a value the switch does not have.
    """
    hints = get_type_hints(Variant)
    changes: dict[str, str | bool] = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        name, value = name.strip(), value.strip()
        where = f"--set {setting}"
        if not separator:
            raise ConfigError(
                what=f"{setting!r} is not of the form switch=value",
                where=where,
                fix="write e.g. cache=memory",
            )
        if name not in hints:
            raise ConfigError(what=f"no switch {name!r}", where=where, fix=suggestion(name, hints))
        allowed = get_args(hints[name]) or ("true", "false")
        if value not in allowed:
            raise ConfigError(
                what=f"{value!r} is not a value of {name}",
                where=where,
                fix="use one of: " + ", ".join(allowed),
            )
        changes[name] = value == "true" if hints[name] is bool else value
    # mypy cannot follow a checked name into the keyword arguments of replace.
    return replace(variant, **changes)  # type: ignore[arg-type]
