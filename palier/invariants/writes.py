"""Each acknowledged write is there exactly once, and nothing else was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

from psycopg import sql

from palier.invariants.baseline import count_of
from palier.invariants.kinds import KINDS, Kind
from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen, broken_rows, number


def _as_written(connection: Connection, scene: Scene) -> Seen:
    if scene.strange:
        names = ", ".join(scene.strange)
        raise NotNow("not_checked", f"where the scenario's {names} is kept is not known here")
    seen = Seen()
    for kind in _written_kinds(connection):
        checked = number(connection, _with_kind("SELECT count(id) FROM palier_expected", kind))
        seen += Seen(checked, *broken_rows(connection, _differences(kind)))
    return seen


def _differences(kind: Kind) -> sql.Composed:
    """Rows that are not there, are still there, or hold something else."""
    return sql.SQL(
        """
        SELECT e.kind || coalesce(' ' || e.id, '') || ': ' || CASE
                   WHEN t.id IS NULL THEN 'acknowledged and not there'
                   WHEN e.presence = 'never' THEN 'deleted and still there'
                   ELSE 'differs in ' || (
                       SELECT string_agg(name, ', ' ORDER BY name) FROM (
                           SELECT w.key FROM jsonb_each(e.row) AS w
                           WHERE NOT to_jsonb(t) -> w.key @> w.value
                           UNION SELECT m.key FROM jsonb_each(e.maybe) AS m
                           WHERE NOT m.value @> (to_jsonb(t) -> m.key)
                       ) AS names (name))
               END || ' (' || e.told || ')' AS example
        FROM palier_expected e LEFT JOIN {source} t ON t.id = e.id
        WHERE e.kind = {kind} AND e.id IS NOT NULL AND CASE
            WHEN t.id IS NULL THEN e.presence = 'once'
            ELSE e.presence = 'never' OR NOT to_jsonb(t) @> e.row OR EXISTS (
                SELECT FROM jsonb_each(e.maybe) AS m WHERE NOT m.value @> (to_jsonb(t) -> m.key))
            END
        """
    ).format(source=sql.Identifier(kind.source), kind=sql.Literal(kind.name))


def _only_once(connection: Connection, _scene: Scene) -> Seen:
    seen = Seen()
    for kind in _written_kinds(connection):
        checked = number(
            connection,
            _with_kind("SELECT count(identity) FROM palier_expected", kind),
        )
        seen += Seen(checked, *broken_rows(connection, _copies(kind)))
    return seen


def _copies(kind: Kind) -> sql.Composed:
    """Creations that are there twice, or whose id no answer gave and that are not there at all."""
    return sql.SQL(
        """
        SELECT min(e.kind) || ' ' || min(e.identity::text) || ' is there ' || count(t.id)
               || ' times (' || min(e.told) || ')' AS example
        FROM palier_expected e LEFT JOIN {source} t ON {same}
        WHERE e.kind = {kind} AND e.identity IS NOT NULL
        GROUP BY e.number
        HAVING count(t.id) > 1
            OR (count(t.id) = 0 AND min(e.presence) = 'once' AND bool_and(e.id IS NULL))
        """
    ).format(source=sql.Identifier(kind.source), same=_same(kind), kind=sql.Literal(kind.name))


def _same(kind: Kind) -> sql.Composed:
    """A row of the kind is the one that a line of palier_expected speaks of."""
    return sql.SQL(" AND ").join(
        sql.SQL("t.{column} = (e.identity ->> {name})::{type}").format(
            column=sql.Identifier(column), name=sql.Literal(column), type=sql.SQL(type_)
        )
        for column, type_ in kind.identity
    )


def _nothing_else(connection: Connection, scene: Scene) -> Seen:
    if scene.unknown:
        lost = ", ".join(map(str, scene.unknown))
        raise NotNow("not_checked", f"what loader {lost} wrote last is not known: it was lost")
    seen = Seen()
    for kind in KINDS.values():
        before, after = scene.baseline.counts[kind.name], count_of(connection, kind)
        created = number(connection, _created_and_there(kind))
        gone = number(connection, _gone(kind))
        wrong = after - (before + created - gone)
        example = (
            f"{kind.name}: {after:,} are there instead of {before:,} + {created:,} created "
            f"- {gone:,} deleted"
        )
        seen += Seen(after, abs(wrong), (example,) if wrong else ())
    return seen


def _created_and_there(kind: Kind) -> sql.Composed:
    """Creations of this run: the acknowledged ones, and those without an answer that are there."""
    return sql.SQL(
        """
        SELECT count(*) FROM palier_expected e
        WHERE e.kind = {kind} AND e.identity IS NOT NULL
          AND (e.presence = 'once' OR e.id IS NOT NULL
               OR EXISTS (SELECT FROM {source} t WHERE {same}))
        """
    ).format(source=sql.Identifier(kind.source), same=_same(kind), kind=sql.Literal(kind.name))


def _gone(kind: Kind) -> sql.Composed:
    """Deletions: the acknowledged ones, and those without an answer that were made."""
    return sql.SQL(
        """
        SELECT count(*) FROM palier_expected e
        WHERE e.kind = {kind} AND e.id IS NOT NULL
          AND (e.presence = 'never' OR (e.presence = 'at_most_once'
               AND NOT EXISTS (SELECT FROM {source} t WHERE t.id = e.id)))
        """
    ).format(source=sql.Identifier(kind.source), kind=sql.Literal(kind.name))


def _written_kinds(connection: Connection) -> Iterator[Kind]:
    names = connection.execute("SELECT DISTINCT kind FROM palier_expected ORDER BY kind").fetchall()
    return (KINDS[name] for (name,) in names)


def _with_kind(query: LiteralString, kind: Kind) -> sql.Composed:
    return sql.SQL("{} WHERE kind = {}").format(sql.SQL(query), sql.Literal(kind.name))


WRITE_CHECKS: Final = (
    Check(
        id="acknowledged-writes",
        holds_when="Each write that was acknowledged is there as it was written, the last one "
        "counting; what was deleted is gone",
        how="the loaders' log of writes joined with the tables by id, column by column",
        look=_as_written,
    ),
    Check(
        id="written-once",
        holds_when="Nothing was written twice; what got no answer is there at most once",
        how="each creation counted in its table by the columns that only it has",
        look=_only_once,
    ),
    Check(
        id="nothing-else-written",
        holds_when="Live and archived rows are those of before, and those created, without those "
        "deleted",
        how="rows counted before the load and after it, against the log of writes",
        look=_nothing_else,
    ),
)
