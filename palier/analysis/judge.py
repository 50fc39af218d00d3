"""From findings to a verdict: targets one by one, then the run.

FAIL when the data is wrong after the load; else INVALID when the measurement was unfit, else FAIL
if an abort rule stopped the run or any gate fails, else INCONCLUSIVE if any gate is undecided or
unmeasured or the window was not steady or not whole, else PASS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from palier.analysis.facts import Fact, facts_by_name
from palier.analysis.findings import Findings, LedgerTotals
from palier.analysis.headroom import by_headroom
from palier.analysis.health.loaders import DEGRADED
from palier.analysis.invariants import Invariant
from palier.analysis.judge_target import judge_target, sentence
from palier.analysis.metrics import Evidence
from palier.analysis.verdict import RunState, TargetVerdict, Verdict
from palier.analysis.wording import share
from palier.model.plan import RunPlan
from palier.model.target import Target

SILENT_REQUESTS = 3
"""Where one request in a hundred fails, the last three do so by chance once in a million runs."""


def judge(
    plan: RunPlan,
    findings: Findings,
    facts: Iterable[Fact],
    *,
    targets: Sequence[Target] | None = None,
    invariants: Sequence[Invariant] = (),
) -> Verdict:
    """The verdict of a run.

    Args:
        plan: What was to be done.
        findings: What was found.
        facts: Observed outside the load; of two with one name the later one counts.
        targets: Judged instead of the tier's own.
        invariants: What had to hold in the data.

    Raises:
        ConfigError: A target names an unknown metric or a unit that does not fit it.
    """
    evidence = Evidence(plan=plan, findings=findings, facts=facts_by_name(facts))
    judged = tuple(
        judge_target(target, evidence)
        for target in (plan.tier.targets if targets is None else targets)
    )
    verdict, reasons = decide(findings, judged, invariants)
    return Verdict(
        run=findings.run,
        verdict=verdict,
        reasons=reasons,
        ledger=findings.ledger,
        targets=judged,
        interrupted=findings.interrupted and not _disk_was_full(findings),
        aborted=None if findings.aborted is None else findings.aborted.rule,
        invariants=tuple(invariants),
    )


def _disk_was_full(findings: Findings) -> bool:
    """Then the run ended early although nobody stopped it."""
    return any(check.name == "disk" and not check.ok for check in findings.health)


def decide(
    findings: Findings,
    targets: Sequence[TargetVerdict],
    invariants: Sequence[Invariant] = (),
) -> tuple[RunState, tuple[str, ...]]:
    """The run's verdict and its reasons; the first one decided it."""
    broken = [_broken(one) for one in invariants if one.state == "violated"]
    unfit = [check for check in findings.health if not check.ok]
    if unfit or not findings.health:
        # Wrong data is wrong however late the requests were.
        return "FAIL" if broken else "INVALID", (
            *broken,
            *_unfit_reasons(findings),
            *_aborted(findings),
        )
    gates = [target for target in targets if target.role == "gate"]
    by_state = _by_state(gates)
    open_gates = [*by_state["inconclusive"], *by_state["not_measured"]]
    doubts = [
        *_doubts(findings, gates),
        *(sentence(target) for target in open_gates),
        *(_unknown(one) for one in invariants if one.state == "not_checked"),
    ]
    aborted = _aborted(findings)
    if broken or aborted or by_state["fail"]:
        missed = (sentence(target) for target in by_state["fail"])
        return "FAIL", (*broken, *aborted, *missed, *doubts)
    if doubts:
        return "INCONCLUSIVE", tuple(doubts)
    return "PASS", (*_pass_reasons(gates), *_degraded(findings))


def _degraded(findings: Findings) -> tuple[str, ...]:
    """What was allowed for although it makes the numbers worth less."""
    return tuple(
        f"{check.name}: {check.measured}"
        for check in findings.health
        if check.ok and check.measured.startswith(DEGRADED)
    )


def _aborted(findings: Findings) -> tuple[str, ...]:
    """The rule that stopped the run: whoever wrote it said that this is not to be borne."""
    return () if findings.aborted is None else (findings.aborted.why,)


def _broken(invariant: Invariant) -> str:
    return f"invariant {invariant.id} is broken: {invariant.sentence}"


def _unknown(invariant: Invariant) -> str:
    return f"invariant {invariant.id} was not checked: {invariant.why}"


def _unfit_reasons(findings: Findings) -> tuple[str, ...]:
    if not findings.health:
        return ("the fitness of the measurement was not checked, so nothing it shows counts",)
    return tuple(
        f"the measurement was unfit: {check.name} was {check.measured}, limit {check.limit}. "
        f"{check.why}"
        for check in findings.health
        if not check.ok
    )


def _by_state(gates: Sequence[TargetVerdict]) -> Mapping[str, Sequence[TargetVerdict]]:
    states = ("pass", "fail", "inconclusive", "not_measured")
    return {state: [gate for gate in gates if gate.verdict == state] for state in states}


def _doubts(findings: Findings, gates: Sequence[TargetVerdict]) -> Sequence[str]:
    """Why a run whose gates are all met still does not pass."""
    doubts = []
    if findings.interrupted:
        doubts.append(
            f"the run was interrupted after {findings.judged_to_s:.0f} s of "
            f"{findings.window_s:.0f} s: a partial run never passes"
        )
    if findings.overall.ledger.succeeded == 0:
        doubts.append("no request of the judged window succeeded")
    else:
        doubts += _never_right(findings)
        doubts += _silent_end(findings)
    if findings.errors_left_out:
        doubts.append(
            f"{findings.errors_left_out:,} requests went wrong in the seconds before "
            f"{findings.judged_from_s:.0f} s, which were left out as warm-up: "
            "a warm-up is slow, not wrong"
        )
    steadiness = findings.steadiness
    if steadiness is None:
        doubts.append("the steadiness of the judged window was not tested")
    elif steadiness.steady is None and not steadiness.moves_by_plan:
        doubts.append(f"steadiness cannot be told: {steadiness.why}; use a longer --duration")
    elif steadiness.steady is False:
        doubts.append(
            f"the judged window is not steady: {steadiness.why}; "
            "run longer to see where it settles, or whether it does"
        )
    doubts += _drifting_stages(findings)
    if not gates:
        doubts.append("no target of this tier is a gate, so nothing can be passed")
    return doubts


def _drifting_stages(findings: Findings) -> Iterable[str]:
    """A level that the system outlives and does not hold."""
    for stage in findings.stages:
        if stage.steadiness.steady is False:
            yield (
                f"the stage from {stage.from_s:.0f} s to {stage.to_s:.0f} s (level "
                f"{stage.level:.3g}) is not steady: {stage.steadiness.why}; hold it for longer to "
                "see where it settles, or whether it does"
            )


def _never_right(findings: Findings) -> Iterable[str]:
    """An operation that never works is too rare to show in the numbers of all requests."""
    for operation in findings.operations:
        asked = operation.ledger.planned - _stopped(operation.ledger)
        if asked > 0 and operation.ledger.succeeded == 0:
            yield f"none of the {asked:,} requests of {operation.operation} succeeded"


def _stopped(ledger: LedgerTotals) -> int:
    reasons = dict(ledger.skipped_reasons)
    return reasons.get("interrupted", 0) + reasons.get("aborted", 0)


def _silent_end(findings: Findings) -> Iterable[str]:
    """A system that no longer answered when the window ended.

    However long the run was before, and so however small the share of these requests: nothing
    shows that the system would ever have come back.
    """
    judged = [at for at in findings.seconds if at.second >= findings.judged_from_s]
    answered = [at.second for at in judged if at.succeeded]
    last = answered[-1] if answered else -1
    wrong = sum(at.failed + at.timed_out + at.abandoned for at in judged if at.second > last)
    if wrong >= SILENT_REQUESTS:
        yield (
            f"none of the {wrong:,} requests planned after {last + 1} s and sent got a right "
            "answer: the system had stopped answering when the window ended"
        )


def _pass_reasons(gates: Sequence[TargetVerdict]) -> tuple[str, ...]:
    """The gate nearest to its limit first: it is the one that decided."""
    rooms = by_headroom(gates)
    count = f"all {len(gates)} gates are met" if len(gates) > 1 else "the only gate is met"
    if not rooms:
        return (*(sentence(gate) for gate in gates), count)
    room, tightest = rooms[0]
    return (
        f"{sentence(tightest)}: {share(room)} headroom, counted from the near end of the interval",
        f"{count}; {tightest.id} is the tightest",
    )
