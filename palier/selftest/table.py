"""A certificate for people: the answers first, then what they rest on."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from palier.selftest.limits import LAG_LIMIT_S, Limits

NARROWEST = 60
"""Below this a table would be cut to nothing; the terminal may wrap instead."""


def limits_text(limits: Limits, kept: Path | None, *, width: int, color: bool) -> str:
    """The certificate as text with a newline at the end; nothing depends on colour alone.

    Args:
        limits: What was found.
        kept: Where it is kept; None when it is not.
        width: Columns of the terminal.
        color: Whether to use ANSI colours.
    """
    console = Console(
        file=io.StringIO(),
        width=max(width, NARROWEST),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        _environ={},
    )
    machine = limits.machine
    console.print(Text("Self-test of this machine", style="bold"))
    console.print(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}")
    console.print(f"{machine['python']}, Palier {machine['palier']}")
    _truth(console, limits)
    _rates(console, limits)
    _rest(console, limits, kept)
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n"))


def _truth(console: Console, limits: Limits) -> None:
    good = limits.tells_the_truth
    console.print()
    console.print(
        Text.assemble(
            (" TRUE " if good else " NOT TRUE ", _answer_style(good)),
            "  reported percentiles are those of the server's own log"
            if good
            else "  a reported percentile is not that of the server's own log",
        )
    )
    table = _table("Response", "reported", "true", "off by", "allowed", "verdict")
    for one in limits.percentiles:
        table.add_row(
            f"p{one.fraction * 100:g}",
            _ms(one.reported_s),
            "never answered" if one.true_s is None else _ms(one.true_s),
            "" if one.error_s is None else f"{one.error_s * 1e3:+.3f} ms",
            _ms(one.allowed_s),
            _verdict(one.holds, "true", "off"),
        )
    console.print(table)


def _rates(console: Console, limits: Limits) -> None:
    good = limits.rate_per_s > 0
    budget = f"99 % leave within {LAG_LIMIT_S * 1e3:g} ms of their planned instant"
    console.print()
    console.print(
        Text.assemble(
            (" CERTIFIED " if good else " NOT CERTIFIED ", _answer_style(good)),
            f"  {limits.rate_per_s:,.0f} requests/s from one loader: {budget}"
            if good
            else f"  no rate was held at which {budget}",
        )
    )
    table = _table("Rate", "lag p50", "lag p99", "CPU a request", "verdict")
    for step in sorted(limits.steps, key=lambda step: step.rate_per_s):
        table.add_row(
            f"{step.rate_per_s:,.0f}/s",
            _ms(step.lag_p50_s),
            _ms(step.lag_p99_s),
            f"{step.cpu_us:.0f} µs",
            _verdict(step.holds, "held", "late" if step.complete else "not all sent"),
        )
    console.print(table)


def _rest(console: Console, limits: Limits, kept: Path | None) -> None:
    console.print()
    console.print(
        f"A sleep of this machine ends {_ms(limits.timer_p50_s)} late "
        f"(p99 {_ms(limits.timer_p99_s)}); a request leaves {_ms(limits.lag_p50_s)} late."
    )
    if limits.shared_core:
        console.print("Note: one core for generator and server; with two the rate is higher.")
    took = f"Took {limits.took_s:.0f} s."
    if kept is None:
        console.print(
            f"{took} Nothing is kept: try again when this machine has nothing else to do."
        )
        return
    console.print(f"{took} A run beyond the certified rate will say so.")
    console.print(Text.assemble(("kept  ", "bold"), str(kept)), soft_wrap=True)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _verdict(good: bool, yes: str, no: str) -> Text:
    return Text(f"✔ {yes}" if good else f"✘ {no}", style="green" if good else "red")


def _answer_style(good: bool) -> str:
    return "bold black on green" if good else "bold white on red"


def _ms(value_s: float) -> str:
    ms = value_s * 1e3
    return f"{ms:,.0f} ms" if ms >= 999.5 else f"{ms:.3g} ms" if ms >= 0.1 else f"{ms:.2g} ms"
