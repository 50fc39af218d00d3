"""E-Pilot's tenants: school groups with accounts, a plan, schools, pupils, staff, files, modules.

Groups 0 to 2 are the examples of D-03; the others spread over the four plans, filled to a share
that differs from group to group.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import SUPER_ADMIN_EMAIL, SUPPORT_EMAIL, group_admin_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import id_text
from seed.modules import granted_modules, modules_a_school
from seed.names import POSITIONS, SCHOOL_KINDS, SCHOOL_PATRONS, first_names, last_names, towns
from seed.owners import MINUTES_A_DAY
from seed.password import password_hash
from seed.plans import EXAMPLE, PLANS, PRO, Plan
from seed.spec import DatasetSpec
from seed.subscriptions import CYCLE_DAYS, standing, subscription_values
from seed.tables import (
    SCHOOL_GROUPS,
    SCHOOL_MODULES,
    SCHOOLS,
    STAFF,
    STORED_FILES,
    STUDENTS,
    SUBSCRIPTION_PLANS,
    SUBSCRIPTIONS,
    USERS,
    WEBHOOK_ENDPOINTS,
    Lines,
)

MAX_DRAWN = {"schools": 12, "students": 600, "staff": 60}
"""Upper ends for drawn groups: a group of 50,000 students would only slow the seed down."""

_OFFICE = {"super_admin": SUPER_ADMIN_EMAIL, "support": SUPPORT_EMAIL}
"""Accounts of those who run the service, by role; they belong to no tenant."""

BYTES_A_GB = 1_000_000_000
FILES_A_GROUP = 8

ENDPOINT_EVERY = 5
"""One group in five has its events told (B-45); the examples of D-03 are not among them."""

_TROUBLED = {0: "flaky/2", 5: "status/503"}
"""How the receiver of a group behaves that is not well, by the group's number modulo 25: it takes
the third attempt, the last there is (B-47), or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSize:
    """What a group has, within its plan."""

    plan: Plan
    schools: int
    students: int
    staff: int
    files: int


_EXAMPLES = (
    # D-03, F-04: 850 of 1,000 students, the warning of B-32.
    GroupSize(plan=EXAMPLE, schools=4, students=850, staff=6, files=FILES_A_GROUP),
    # D-03, F-05: 10 of 10 schools, the block of B-33.
    GroupSize(plan=PRO, schools=10, students=400, staff=30, files=FILES_A_GROUP),
    # D-03, F-06: the limits card of B-34: 1/10 schools, 0/1000 students, 3/10 staff, 0/5 GB.
    GroupSize(plan=EXAMPLE, schools=1, students=0, staff=3, files=0),
)


def group_size(seed: int, group: int) -> GroupSize:
    """Size of one group; a function of seed and group alone."""
    if group < len(_EXAMPLES):
        return _EXAMPLES[group]
    return _drawn_size(seed, group)


@cache
def _drawn_size(seed: int, group: int) -> GroupSize:
    plan = PLANS[group % len(PLANS)]
    share = 20 + _draws(seed, "group_size", group, 1, (70,))[0][0]  # percent, 20 to 89

    def filled(limit: int, most: int) -> int:
        return max(1, min(limit, most) * share // 100)

    return GroupSize(
        plan=plan,
        schools=filled(plan.max_schools, MAX_DRAWN["schools"]),
        students=filled(plan.max_students, MAX_DRAWN["students"]),
        staff=filled(plan.max_staff, MAX_DRAWN["staff"]),
        files=FILES_A_GROUP * share // 100,
    )


def group_row_counts(spec: DatasetSpec) -> Counter[str]:
    """Rows of all groups by table, the accounts included."""
    sizes = [group_size(spec.seed, group) for group in range(spec.groups)]
    return Counter(
        {
            USERS.name: spec.groups * spec.group_accounts + len(_OFFICE),
            SUBSCRIPTION_PLANS.name: len(PLANS) + 1,
            SCHOOL_GROUPS.name: spec.groups,
            SUBSCRIPTIONS.name: spec.groups,
            SCHOOLS.name: sum(size.schools for size in sizes),
            STUDENTS.name: sum(size.students for size in sizes),
            STAFF.name: sum(size.staff for size in sizes),
            STORED_FILES.name: sum(size.files for size in sizes),
            SCHOOL_MODULES.name: sum(size.schools * modules_a_school(size.plan) for size in sizes),
            WEBHOOK_ENDPOINTS.name: sum(map(_has_endpoint, range(spec.groups))),
        }
    )


def group_lines(spec: DatasetSpec, groups: NDArray[np.int64]) -> Lines:
    """All rows of the groups given; group 0 brings the accounts of the office and the plans."""
    lines: Lines = {
        table: []
        for table in (
            USERS, SUBSCRIPTION_PLANS, SCHOOL_GROUPS, SUBSCRIPTIONS, SCHOOLS, STUDENTS, STAFF,
            STORED_FILES, SCHOOL_MODULES, WEBHOOK_ENDPOINTS,
        )
    }  # fmt: skip
    for group in groups.tolist():
        if group == 0:
            _add_office(spec, lines)
            lines[SUBSCRIPTION_PLANS].extend(_plan_line(plan) for plan in (*PLANS, EXAMPLE))
        _add_group(spec, group, lines)
    return lines


def _plan_line(plan: Plan) -> str:
    return SUBSCRIPTION_PLANS.line(
        plan.id,
        plan.slug,
        plan.name,
        plan.max_schools,
        plan.max_students,
        plan.max_staff,
        plan.max_storage_gb,
    )


def _add_office(spec: DatasetSpec, lines: Lines) -> None:
    for role, email in _OFFICE.items():
        lines[USERS].append(
            USERS.line(
                id_text(spec.seed, role, 0, 0),
                email,
                password_hash(seed=spec.seed, log2_n=spec.password_hash_log2_n),
                role,
                None,
                clock_at(spec.anchor).minute(-2000 * MINUTES_A_DAY),
            )
        )


def _add_group(spec: DatasetSpec, group: int, lines: Lines) -> None:
    seed, clock = spec.seed, clock_at(spec.anchor)
    size = group_size(seed, group)
    ((town, patron, age_days, cycle_place, running_days),) = _draws(
        seed, "school_group", group, 1, (len(towns()), len(SCHOOL_PATRONS), 900, 3, 28)
    )
    # Old enough that its rows, one a minute, are all older than the anchor.
    created = -(400 + age_days) * MINUTES_A_DAY
    group_id = id_text(seed, "school_group", group, 0)
    name = f"Groupe scolaire {SCHOOL_PATRONS[patron]} de {towns()[town][1]}"
    lines[SCHOOL_GROUPS].append(SCHOOL_GROUPS.line(group_id, name, clock.minute(created)))
    hashed = password_hash(seed=seed, log2_n=spec.password_hash_log2_n)
    lines[USERS].extend(
        USERS.line(
            id_text(seed, "group_admin", group, account),
            group_admin_email(group, account),
            hashed,
            "group_admin",
            group_id,
            clock.minute(created + account),
        )
        for account in range(spec.group_accounts)
    )
    cycle = tuple(CYCLE_DAYS)[cycle_place]
    stands = subscription_values(clock, cycle, standing(group, cycle, running_days))
    lines[SUBSCRIPTIONS].append(
        SUBSCRIPTIONS.line(
            id_text(seed, "subscription", group, 0),
            group_id,
            size.plan.id,
            stands["status"],
            cycle,
            stands["starts_on"],
            stands["ends_on"],
            clock.minute(created),
            stands["updated_at"],
            1,  # period
            None,
            stands["auto_renew"],
            stands["grace_until"],
            stands["suspended_at"],
        )
    )
    if _has_endpoint(group):
        lines[WEBHOOK_ENDPOINTS].append(_endpoint_line(spec, group, created))
    _add_schools(spec, group, created, lines)
    _add_people(spec, group, created, lines)
    _add_files(spec, group, created, lines)


def _has_endpoint(group: int) -> bool:
    return group > 2 and group % ENDPOINT_EVERY == 0


def _endpoint_line(spec: DatasetSpec, group: int, created: int) -> str:
    clock = clock_at(spec.anchor)
    endpoint_id = id_text(spec.seed, "webhook_endpoint", group, 0)
    return WEBHOOK_ENDPOINTS.line(
        endpoint_id,
        id_text(spec.seed, "school_group", group, 0),
        # A receiver that knows the endpoint can verify what it is sent.
        f"http://hooks.example/{_TROUBLED.get(group % 25, 'ok')}/{endpoint_id}",
        "{}",  # every type
        "t",
        1,
        clock.minute(created + 1),
        clock.minute(created),
        clock.minute(created + 1),
    )


def _add_schools(spec: DatasetSpec, group: int, created: int, lines: Lines) -> None:
    seed, clock = spec.seed, clock_at(spec.anchor)
    bounds = (len(SCHOOL_KINDS), len(SCHOOL_PATRONS), len(towns()))
    schools = _draws(seed, "school", group, group_size(seed, group).schools, bounds)
    for index, (kind, patron, town) in enumerate(schools):
        lines[SCHOOLS].append(
            SCHOOLS.line(
                id_text(seed, "school", group, index),
                id_text(seed, "school_group", group, 0),
                f"{SCHOOL_KINDS[kind]} {SCHOOL_PATRONS[patron]}",
                towns()[town][1],
                clock.minute(created + index),
            )
        )
    _add_modules(spec, group, created, lines)


def _add_modules(spec: DatasetSpec, group: int, created: int, lines: Lines) -> None:
    """Each school works with neighbours in the plan's list, from a place of its own on."""
    seed, size = spec.seed, group_size(spec.seed, group)
    granted, wanted = granted_modules(size.plan), modules_a_school(size.plan)
    if not wanted:
        return
    group_id = id_text(seed, "school_group", group, 0)
    assigned = clock_at(spec.anchor).minute(created + MINUTES_A_DAY)
    starts = _draws(seed, "school_modules", group, size.schools, (len(granted),))
    for school, (start,) in enumerate(starts):
        school_id = id_text(seed, "school", group, school)
        lines[SCHOOL_MODULES].extend(
            SCHOOL_MODULES.line(
                school_id, group_id, granted[(start + place) % len(granted)], assigned
            )
            for place in range(wanted)
        )


def _add_people(spec: DatasetSpec, group: int, created: int, lines: Lines) -> None:
    seed, clock = spec.seed, clock_at(spec.anchor)
    size = group_size(seed, group)
    group_id = id_text(seed, "school_group", group, 0)
    schools = [id_text(seed, "school", group, school) for school in range(size.schools)]
    bounds = (len(first_names()), len(last_names()), size.schools, len(POSITIONS))
    for index, (first, last, school, _) in enumerate(
        _draws(seed, "student", group, size.students, bounds)
    ):
        lines[STUDENTS].append(
            STUDENTS.line(
                id_text(seed, "student", group, index),
                group_id,
                schools[school],
                f"{first_names()[first]} {last_names()[last]}",
                clock.minute(created + index),
            )
        )
    for index, (first, last, school, position) in enumerate(
        _draws(seed, "staff", group, size.staff, bounds)
    ):
        lines[STAFF].append(
            STAFF.line(
                id_text(seed, "staff", group, index),
                group_id,
                schools[school],
                f"{first_names()[first]} {last_names()[last]}",
                POSITIONS[position],
                clock.minute(created + index),
            )
        )


def _add_files(spec: DatasetSpec, group: int, created: int, lines: Lines) -> None:
    seed, clock = spec.seed, clock_at(spec.anchor)
    size = group_size(seed, group)
    # All files together stay below 80 % of the plan's storage.
    most_bytes = size.plan.max_storage_gb * BYTES_A_GB * 8 // 10 // FILES_A_GROUP
    for index, (thousandths,) in enumerate(_draws(seed, "file", group, size.files, (1000,))):
        lines[STORED_FILES].append(
            STORED_FILES.line(
                id_text(seed, "file", group, index),
                id_text(seed, "school_group", group, 0),
                f"document-{index + 1}.pdf",
                most_bytes * thousandths // 1000,
                clock.minute(created + index),
            )
        )


def _draws(
    seed: int, kind: str, tenant: int, rows: int, bounds: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """For each of ``rows`` rows of a tenant one draw below each bound."""
    indexes = np.arange(rows, dtype=np.int64)
    keys = row_keys(seed=seed, kind=kind, tenants=np.full_like(indexes, tenant), indexes=indexes)
    columns = [below(keys, field, bound).tolist() for field, bound in enumerate(bounds)]
    return list(zip(*columns, strict=True))
