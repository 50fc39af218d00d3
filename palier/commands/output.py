"""Results go to stdout; with ``--json`` as exactly one document."""

from __future__ import annotations

import json
import os
import sys

from palier.model.jsonvalue import Jsonable


def print_text(text: str) -> None:
    """Write text that ends with a line end."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_json(document: Jsonable) -> None:
    """Write one JSON document."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def forget_output() -> None:
    """Send what is still buffered for stdout nowhere, so that leaving does not try it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
