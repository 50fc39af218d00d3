"""``report.html`` of a search: one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from reports import evidence
from reports import format as fmt
from reports import words as run_words
from reports.drawings import Picture
from reports.page import ICONS
from reports.search import words
from reports.search.inputs import SearchInputs
from reports.text import clean, one_line, shortened


def render(inputs: SearchInputs, pictures: Sequence[Picture]) -> str:
    """The whole page as text; a pure function of its arguments."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = resources.files("reports").joinpath("templates/style.css").read_text("utf-8")
    template = environment.get_template("search.html.j2")
    return template.render(css=Markup(css), fmt=fmt, **_context(inputs, pictures))


def _context(inputs: SearchInputs, pictures: Sequence[Picture]) -> dict[str, Any]:
    story, answer = inputs.story, inputs.story.answer
    state = words.state_of(answer)
    return {
        "plan": inputs.plan,
        "story": story,
        "answer": answer,
        "name": clean(story.name),
        "title": run_words.title(inputs.plan),
        "state": state.lower(),
        "icon": ICONS[state],
        "interval": words.interval(answer),
        "headline": words.headline(inputs),
        "binding": words.binding(inputs),
        "end": words.end(inputs.story),
        "guess": words.guess(answer),
        "width": words.width(story),
        "effort": words.effort(answer),
        "users": words.users(inputs),
        "notes": words.notes(inputs),
        "method": words.method(story.rules),
        "gates": [
            (words.gate_words(inputs.target(one.gate.id)), fmt.ratio(one.gate.allowed))
            for one in story.targets
        ],
        "rows": words.probe_rows(story),
        "pictures": pictures,
        "date": run_words.started_at(story.name, inputs.environment),
        "environment": evidence.environment_rows(inputs.environment),
        "command": words.command(inputs),
        "one_line": one_line,
        "shortened": shortened,
    }
