"""`palier up`: a tier's stack with its data, left running until `palier down`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from palier.commands.output import print_text
from palier.errors import ExitCode
from palier.model.identity import owner_email, password
from palier.model.parse import load_catalogue
from palier.model.variant import override
from palier.stack.topology import up_detached
from reports.progress import ProgressDisplay
from seed.dataset import seed_database


def main(options: Namespace) -> ExitCode:
    tier = load_catalogue(options.tiers).tier(options.tier)
    with ProgressDisplay() as display:

        def seeder(admin_url: str, after_data: Callable[[], None]) -> None:
            seed_database(
                admin_url, tier, options.seed, after_data=after_data, on_progress=display.seed
            )

        record = up_detached(
            spec=tier.required_stack(),
            variant=override(tier.variant, options.set),
            seeder=seeder,
            name=tier.id,
            seed=options.seed,
            tell=display.say,
        )
    print_text(
        f"{tier.id} is up at {record.facts['url']}\n"
        f"  API       {record.facts['url']}/schema\n"
        f"  sign in   {owner_email(0)}, password {password(options.seed)}\n"
        f"  database  {record.facts['admin_url']}\n"
        f"  load      locust -f scenarios/liveownerunit.py --host {record.facts['url']}\n"
        "  end       palier down"
    )
    return ExitCode.PASS
