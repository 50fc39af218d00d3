"""From the files of a search directory to its story, its answer and its report; nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from palier.analysis.findings import Estimate
from palier.analysis.percentile import percentile
from palier.analysis.sample import make_sample
from palier.capacity.answer import Answer
from palier.capacity.log import Probe
from palier.capacity.search import known_so_far, next_step
from palier.capacity.story import SearchStory, story_as_json, tell_probes
from palier.capacity.targets import SearchTarget, search_targets
from palier.load.archive import read_histograms
from palier.runfiles import RunFiles
from palier.searchfiles import SearchFiles


def conclude_search(files: SearchFiles) -> tuple[SearchStory, Path]:
    """Tell a search from its files, and write ``answer.json`` and the reports anew.

    Raises:
        RunFilesError: The directory is not one of a search, or a file is damaged.
        PalierError: A file cannot be written.
    """
    # Imported late: figures take seconds, and a search that fails needs none.
    from reports.search.inputs import SearchInputs
    from reports.search.write import write_search_reports

    story = tell_search(files)
    files.write_answer(story_as_json(story))
    inputs = SearchInputs(plan=files.read_plan(), story=story, environment=files.read_environment())
    return story, write_search_reports(files.path, inputs)


def tell_search(files: SearchFiles) -> SearchStory:
    """What a search did and found; one that has no answer yet was interrupted."""
    plan, log = files.read_plan(), files.read_log()
    targets, left_out = search_targets(plan.tier.targets)
    step = next_step(log)
    warmup_s = log.rules.warmup_s
    responses = {
        number: _responses(files.probes, probe, targets, warmup_s=warmup_s)
        for number, probe in enumerate(log.probes, start=1)
    }
    return SearchStory(
        name=files.name,
        rules=log.rules,
        answer=step if isinstance(step, Answer) else known_so_far(log),
        targets=targets,
        left_out=left_out,
        probes=tell_probes(log, responses),
    )


def _responses(
    probes: Path, probe: Probe, targets: tuple[SearchTarget, ...], *, warmup_s: float
) -> Mapping[str, Estimate]:
    """Percentiles of a probe, from the histograms of all its runs together.

    Runs whose files were taken away to save room leave them out; decisions do not need them.
    """
    paths = [RunFiles(probes / stretch.run).histograms for stretch in probe.stretches]
    if not paths or not all(path.is_file() for path in paths):
        return {}
    parts, offset = [], 0
    for path, stretch in zip(paths, probe.stretches, strict=True):
        rows = read_histograms(path)
        judged = rows.loc[rows["second"] >= warmup_s]
        # One stretch after the other, as the seconds of one run: dependence is by second.
        parts.append(judged.assign(second=judged["second"] + offset))
        offset += stretch.seconds + round(warmup_s)
    together = pd.concat(parts, ignore_index=True)
    return {
        one.gate.id: percentile(
            make_sample(together, clock="response", operation=one.operation),
            1 - one.gate.allowed,
        )
        for one in targets
        if one.limit_s is not None
    }
