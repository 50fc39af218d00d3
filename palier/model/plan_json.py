"""plan.json: the run plan as a JSON document and back, without loss."""

from __future__ import annotations

from palier.errors import RunFilesError
from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable
from palier.model.plan import PLAN_SCHEMA, RunPlan

_BESIDE_THE_PLAN = ("schema", "schedule_digest")


def plan_as_json(plan: RunPlan, *, schedule_digest: str | None = None) -> dict[str, Jsonable]:
    """The document of ``plan.json``; the digest is added when the schedule has been made."""
    document: dict[str, Jsonable] = {"schema": PLAN_SCHEMA}
    if schedule_digest is not None:
        document["schedule_digest"] = schedule_digest
    fields = to_jsonable(plan)
    assert isinstance(fields, dict)  # a dataclass always becomes an object
    return document | fields


def plan_from_json(document: object, *, where: str = "plan.json") -> RunPlan:
    """The plan of a document made by :func:`plan_as_json`.

    Raises:
        RunFilesError: Not such a document, or of another schema.
    """
    if not isinstance(document, dict) or document.get("schema") != PLAN_SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise RunFilesError(
            what=f"schema {found!r} is not {PLAN_SCHEMA}",
            where=where,
            fix="the run was written by another version of Palier; run again",
        )
    return from_jsonable(RunPlan, document, where=where, ignore=_BESIDE_THE_PLAN)
