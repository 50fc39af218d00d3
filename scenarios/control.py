"""Our hooks in Locust: flags, and who takes over.

Without ``--palier-plan`` nothing here changes what Locust does. With it, Locust is the shell of
one loader, or the master of several: it starts one ``Arrivals`` user a loader, the engine does the
sending, and every request still fires ``events.request``, so Locust's page and plug-ins work.

The start: each loader prepares and says that it is ready; when all are, whoever drives us is told
through the pipe ``--palier-ready-fd`` and answers with t0 on stdin, which the master passes on as
a message. The end of stdin means that the driver is gone: then we stop, too.

A worker on another machine is started with ``--palier-join`` alone: its master sends it the plan.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from locust import events
from locust.runners import MasterRunner

from scenarios.arrivals import Arrivals
from scenarios.assignment import Assignment, checked_plan
from scenarios.loader import Loader
from scenarios.master import Master
from scenarios.plain import closed_profile
from scenarios.users import Users


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_flags(parser: Any) -> None:
    """Our command line."""
    plain = parser.add_argument_group("Palier, plain (closed-loop) runs")
    plain.add_argument("--palier-tiers", metavar="FILE", help="tiers file with the journeys")
    plain.add_argument("--palier-tier", metavar="TIER", help="tier whose tenants exist")
    plain.add_argument("--palier-profile", metavar="ID", help="closed profile, such as L-01")
    plain.add_argument("--palier-seed", type=int, default=1, help="seed of the data")
    driven = parser.add_argument_group("Palier, arrival-driven runs (`palier run` sets these)")
    driven.add_argument("--palier-plan", metavar="FILE", help="plan.json; turns arrivals on")
    driven.add_argument("--palier-out", metavar="DIR", help="where worker-<i>.jsonl goes")
    driven.add_argument("--palier-worker", type=int, default=0, metavar="I", help="which stripe")
    driven.add_argument(
        "--palier-local", type=int, default=0, metavar="N", help="workers started with a stripe"
    )
    driven.add_argument("--palier-ready-fd", type=int, metavar="FD", help="told when ready")
    driven.add_argument("--palier-run", default="", metavar="NAME", help="name of the run")
    driven.add_argument("--palier-raw", action="store_true", help="also write raw-<i>.csv")
    driven.add_argument(
        "--palier-join", action="store_true", help="a worker that gets its plan from the master"
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, runner: Any, **_: Any) -> None:
    """Take over, if there is a plan."""
    from scenarios.visitor import JourneyUser

    options = environment.parsed_options
    if options is None or not (options.palier_plan or options.palier_join):
        JourneyUser.seed = 1 if options is None else options.palier_seed
        if options is not None and options.palier_profile:
            tiers = Path(options.palier_tiers) if options.palier_tiers else None
            environment.shape_class = Users(closed_profile(tiers, options.palier_profile))
        return
    user_classes = list(environment.user_classes)
    environment.user_classes[:] = [Arrivals]
    environment.process_exit_code = 0  # failed requests are data, not an error of ours
    if options.palier_join:
        Loader(environment, user_classes=user_classes, assignment=None)
        return
    path = Path(options.palier_plan)
    document = json.loads(path.read_text(encoding="utf-8"))
    plan, schedule = checked_plan(document, where=str(path))
    if isinstance(runner, MasterRunner):
        Master(environment, plan=plan, document=document)
        return
    assignment = Assignment(
        plan=plan,
        schedule=schedule,
        worker=options.palier_worker,
        run=options.palier_run,
        raw=options.palier_raw,
    )
    Loader(environment, user_classes=user_classes, assignment=assignment)
