"""When a loader is lost: what can never be known, and where the others go on.

Up to its last line everything is known. From then to the cut, the instant from which the others do
its work, nothing is: it may have sent what it was to send or not. These steps are lost, each one
counted. Steps that are wanted from the cut on are taken over: sessions to come from their start,
those in progress from their next step (docs/decisions/0066-lost-workers.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from palier.load.chance import MICROSECONDS
from palier.load.ledger import Key
from palier.load.positions import InFlight, Positions
from palier.load.schedule import Schedule
from palier.load.session import Session
from palier.load.stripes import Loss, Stripes

LOST_MESSAGE = "its loader was lost"


@dataclass(frozen=True, slots=True)
class Resumed:
    """A session in progress that somebody else goes on with.

    Attributes:
        session: Its index.
        step: The first planned step that is to be made, from 0.
    """

    session: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What becomes of a lost loader's work.

    Attributes:
        loss: Who was lost, and who takes over from when on.
        lost: Steps of which nothing is known, by planned second and operation.
        in_flight: Requests whose end nobody saw.
        resumed: Sessions in progress that others go on with.
    """

    loss: Loss
    lost: dict[Key, int]
    in_flight: tuple[InFlight, ...]
    resumed: tuple[Resumed, ...]

    @property
    def unknown(self) -> int:
        """How many planned requests nobody knows of."""
        return sum(self.lost.values())


def hand_over(
    schedule: Schedule,
    stripes: Stripes,
    positions: Positions,
    loss: Loss,
    *,
    only: frozenset[int] | None = None,
) -> Handover:
    """Divide what a lost loader had still to do; moves its positions on to the cut.

    Args:
        schedule: The schedule of the run.
        stripes: Before the loss.
        positions: As far as the lost loader has reported.
        loss: Who is lost, and from when on others do its work.
        only: Sessions to be looked at; None means all.
    """
    lost: Counter[Key] = Counter()
    resumed: list[Resumed] = []
    cut_us = loss.cut_us if loss.survivors else schedule.window_us
    for session in schedule.sessions:
        if session.at_us >= cut_us:
            break  # in the order of their start: all others are still to come
        # The cheap question first: after an hour most are over.
        step = positions.next_step(session.index)
        if step >= len(session.pauses_us) or stripes.owner(session.index) != loss.worker:
            continue
        if only is not None and session.index not in only:
            continue
        operations = schedule.operations(session)[step:]
        nominal_us = tuple(session.nominal_us())[step:]
        for operation, at_us in zip(operations, nominal_us, strict=True):
            if at_us >= cut_us:
                resumed.append(Resumed(session.index, step))
                break
            lost[at_us // MICROSECONDS, operation] += 1
            step += 1
        positions.move(session.index, step)
    in_flight = positions.in_flight(loss.worker)
    positions.forget(loss.worker)
    return Handover(loss=loss, lost=dict(lost), in_flight=in_flight, resumed=tuple(resumed))


def rest_of(schedule: Schedule, resumed: Resumed) -> Session:
    """The part of a session that is taken over, as a session of its own.

    It begins where the plan has that step, so it makes good what the session was late.
    """
    session = schedule.sessions[resumed.session]
    nominal_us = tuple(session.nominal_us())
    journey = len(schedule.steps[session.journey])
    first = session.first_step + resumed.step
    if schedule.again_from is not None and first >= journey:
        # Where the user of a closed load is in its loop, as if for the first time around.
        first = schedule.again_from + (first - journey) % (journey - schedule.again_from)
    return replace(
        session,
        at_us=nominal_us[resumed.step],
        first_step=first,
        pauses_us=(0, *session.pauses_us[resumed.step + 1 :]),
    )
