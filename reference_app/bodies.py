"""What a client sent."""

from __future__ import annotations

from typing import Any

import msgspec


def sent_fields(data: msgspec.Struct) -> dict[str, Any]:
    """The fields of a body, by name, without those of a change that the client left out."""
    return {
        name: value
        for name in data.__struct_fields__
        if (value := getattr(data, name)) is not msgspec.UNSET
    }
