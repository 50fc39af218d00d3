"""``report.md`` of a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports import format as fmt
from reports import words as run_words
from reports.drawings import Picture
from reports.markdown import RUN_MARKS, code, escape, table
from reports.search import words
from reports.search.inputs import SearchInputs


def render(inputs: SearchInputs, pictures: Sequence[Picture]) -> str:
    """The whole summary; a pure function of its arguments."""
    sections: list[Iterable[str]] = [
        _answer(inputs),
        _probes(inputs, pictures),
        _gates(inputs),
        _reproduce(inputs),
    ]
    return "\n".join(line for section in sections for line in (*section, "")).rstrip() + "\n"


def _answer(inputs: SearchInputs) -> Iterable[str]:
    story, answer = inputs.story, inputs.story.answer
    mark = RUN_MARKS[words.state_of(answer)]
    yield f"# {mark} {escape(words.interval(answer))}: {escape(run_words.title(inputs.plan))}"
    yield ""
    yield f"**{escape(words.headline(inputs))}**"
    yield escape(words.binding(inputs))
    yield ""
    yield escape(words.end(story))
    yield ""
    if (guess := words.guess(answer)) is not None:
        yield f"- Most probably: {escape(guess)}"
    yield f"- Width: {escape(words.width(story))}"
    yield f"- Effort: {escape(words.effort(answer))}"
    if in_users := words.users(inputs):
        yield f"- In users: {escape(in_users)}"
    yield (
        f"- Search: {code(story.name)}, "
        f"started {escape(run_words.started_at(story.name, inputs.environment))}"
    )
    for note in words.notes(inputs):
        yield f"- {escape(note)}"


def _probes(inputs: SearchInputs, pictures: Sequence[Picture]) -> Iterable[str]:
    yield "## Probes"
    yield ""
    yield escape(words.method(inputs.story.rules))
    yield ""
    yield from table(
        ("", "requests/s", "Decision", "Evidence", "Requests", "Gate", "Missed by", "Response"),
        [
            (
                row.number,
                row.rate,
                escape(row.outcome),
                row.seconds,
                row.planned,
                escape(row.gate),
                escape(f"{row.missed} {row.note}".strip()),
                escape(row.response),
            )
            for row in words.probe_rows(inputs.story)
        ],
    )
    for picture in pictures:
        yield ""
        yield f"![{escape(picture.label)}](figures/{picture.name}.svg)"


def _gates(inputs: SearchInputs) -> Iterable[str]:
    yield "## Gates"
    yield ""
    for one in inputs.story.targets:
        gate = words.gate_words(inputs.target(one.gate.id))
        yield f"- {escape(gate)}: may be missed by {fmt.ratio(one.gate.allowed)}"


def _reproduce(inputs: SearchInputs) -> Iterable[str]:
    yield "## Reproduce"
    yield ""
    yield "```"
    yield words.command(inputs).replace("```", "'''")
    yield "```"
