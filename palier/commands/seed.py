"""`palier seed`: a tier's data alone into a database of one's own, or the check of it."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from palier.commands.output import print_text
from palier.errors import ConfigError, ExitCode
from palier.model.parse import load_catalogue
from palier.model.tier import Tier
from palier.model.variant import override
from palier.stack.app import migrate
from palier.stack.cleanup import list_stacks
from palier.stack.workspace import Workspace
from reports.progress import ProgressDisplay
from seed.dataset import seed_database, verify_database


def main(options: Namespace) -> ExitCode:
    tier = load_catalogue(options.tiers).tier(options.tier)
    if options.verify:
        for check in verify_database(_database(options, tier), tier, options.seed):
            print_text(f"ok  {check.name}: {check.measured}")
        return ExitCode.PASS
    if options.database is None:
        raise ConfigError(
            what="no database named",
            where="palier seed",
            fix="--database URL of an empty database of yours; `palier up` makes a whole stack "
            "with its data, and --verify checks that one",
        )
    variant = override(tier.variant, options.set)
    with (
        tempfile.TemporaryDirectory() as logs,
        Workspace.create(purpose="run", logs=Path(logs)) as workspace,
        ProgressDisplay() as display,
    ):
        migrate(workspace, admin_url=options.database, stage="before-data", variant=variant)
        result = seed_database(
            options.database,
            tier,
            options.seed,
            after_data=lambda: migrate(
                workspace, admin_url=options.database, stage="after-data", variant=variant
            ),
            on_progress=display.seed,
        )
    print_text(f"{result.rows:,} rows in {result.load_s:.1f} s, checksum {result.checksum}")
    return ExitCode.PASS


def _database(options: Namespace, tier: Tier) -> str:
    """The database to be checked: the named one, or that of the tier's stack that is up."""
    if options.database is not None:
        return str(options.database)
    for record in list_stacks():
        if record.facts.get("tier") == tier.id:
            return record.facts["admin_url"]
    raise ConfigError(
        what=f"no stack of {tier.id} is up",
        where="palier seed --verify",
        fix=f"`palier up {tier.id}`, or name a database with --database",
    )
