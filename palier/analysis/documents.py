"""findings.json and verdict.json: the values as JSON documents and back, without loss.

The keys of ``verdict.json`` are a contract (docs/method.md, "verdict.json"): those of the
contract come first and in its order, further ones may be added behind them.
"""

from __future__ import annotations

from typing import Final

from palier.analysis.findings import FINDINGS_SCHEMA, Findings
from palier.analysis.verdict import VERDICT_SCHEMA, TargetVerdict, Verdict
from palier.errors import RunFilesError
from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable

TARGET_KEYS: Final = (
    "id",
    "role",
    "metric",
    "operation",
    "comparator",
    "limit",
    "unit",
    "measured",
    "low",
    "high",
    "samples",
    "verdict",
    "why",
)
"""Keys of one target in the order of the contract."""

_DERIVED: Final = ("schema", "exit_code")


def verdict_as_json(verdict: Verdict) -> dict[str, Jsonable]:
    """The document of ``verdict.json``; ``exit_code`` is there for readers without our table."""
    return {
        "schema": VERDICT_SCHEMA,
        "run": verdict.run,
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "ledger": to_jsonable(verdict.ledger),
        "targets": [_target_as_json(target) for target in verdict.targets],
        "interrupted": verdict.interrupted,
        "exit_code": int(verdict.exit_code),
        "invariants": [to_jsonable(invariant) for invariant in verdict.invariants],
        "aborted": verdict.aborted,
    }


def verdict_from_json(document: object, *, where: str = "verdict.json") -> Verdict:
    """The verdict of a document made by :func:`verdict_as_json`.

    Raises:
        RunFilesError: Not such a document, or of another schema.
    """
    _check_schema(document, VERDICT_SCHEMA, where)
    return from_jsonable(Verdict, document, where=where, ignore=_DERIVED)


def findings_as_json(findings: Findings) -> dict[str, Jsonable]:
    """The document of ``findings.json``."""
    fields = to_jsonable(findings)
    assert isinstance(fields, dict)  # a dataclass always becomes an object
    return {"schema": FINDINGS_SCHEMA, **fields}


def findings_from_json(document: object, *, where: str = "findings.json") -> Findings:
    """The findings of a document made by :func:`findings_as_json`.

    Raises:
        RunFilesError: Not such a document, or of another schema.
    """
    _check_schema(document, FINDINGS_SCHEMA, where)
    return from_jsonable(Findings, document, where=where)


def _target_as_json(target: TargetVerdict) -> dict[str, Jsonable]:
    fields = to_jsonable(target)
    assert isinstance(fields, dict)  # a dataclass always becomes an object
    first = {key: fields[key] for key in TARGET_KEYS}
    return first | {key: value for key, value in fields.items() if key not in first}


def _check_schema(document: object, expected: int, where: str) -> None:
    found = document.get("schema") if isinstance(document, dict) else None
    if found != expected:
        raise RunFilesError(
            what=f"schema {found!r} is not {expected}",
            where=where,
            fix="the run was written by another version of Palier; judge it again with "
            "`palier gate`, or run again",
        )
