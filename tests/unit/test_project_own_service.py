"""The page about one's own service: its two files fit each other and Palier's reader."""

from __future__ import annotations

import ast
import re

from project_tree import ROOT

from palier.model.parse import parse_catalogue
from palier.model.plan import make_plan
from palier.model.tier import System

PAGE = (ROOT / "docs" / "own-service.md").read_text(encoding="utf-8")


def block(language: str, first_line: str) -> str:
    """The code block of the page that begins with ``first_line``."""
    [found] = re.findall(rf"```{language}\n({re.escape(first_line)}\n.*?)```", PAGE, re.DOTALL)
    return str(found)


def shop() -> System:
    return parse_catalogue(block("yaml", "# shop.yaml"), "shop.yaml").system("shop")


def test_the_tiers_file_is_right_and_offers_the_rate_that_the_page_derives():
    system = shop()
    catalogue = parse_catalogue(block("yaml", "# shop.yaml"), "shop.yaml")
    tier = catalogue.tier("shop-today")

    plan = make_plan(
        system=system,
        tier=tier,
        profile=catalogue.profile("steady"),
        duration_s=120.0,
        seed=1,
        workers=1,
        variant=tier.variant,
        url=None,
    )

    assert plan.requests_per_s == 5
    assert "= 5 requests a second" in PAGE
    assert plan.url == "http://127.0.0.1:8000"


def test_the_scenario_has_every_operation_of_the_journeys_and_names_the_system():
    system = shop()
    [buyer] = [
        node
        for node in ast.parse(block("python", "# shop.py")).body
        if isinstance(node, ast.ClassDef)
    ]
    operations = {
        method.name
        for method in buyer.body
        if isinstance(method, ast.FunctionDef)
        and "operation" in ast.unparse(method.decorator_list[0])
    }
    steps = {step.operation for journey in system.journeys for step in journey.steps}

    assert operations == steps
    assert f"system = '{system.id}'" in ast.unparse(buyer)
    assert system.scenario == "shop.py"


def test_the_profiles_of_the_page_can_be_planned():
    text = block("yaml", "# shop.yaml") + block("yaml", "profiles:")
    catalogue = parse_catalogue(text, "shop.yaml")
    shapes = {}
    for profile in catalogue.profiles:
        plan = make_plan(
            system=catalogue.system("shop"),
            tier=catalogue.tier("shop-today"),
            profile=profile,
            duration_s=None,
            seed=1,
            workers=1,
            variant=catalogue.tier("shop-today").variant,
            url=None,
            trace_us=(0, 1_000_000),
        )
        shapes[profile.id] = "loop" if plan.loop is not None else profile.shape

    assert shapes == {"steady": None, "morning": "staged", "yesterday": "trace", "fifty": "loop"}


def test_the_locustfile_of_the_page_has_the_tasks_that_its_journeys_name():
    catalogue = parse_catalogue(block("yaml", "# old_shop.yaml"), "old_shop.yaml")
    system = catalogue.system("shop")
    [customer] = [
        node
        for node in ast.parse(block("python", "# old_shop.py")).body
        if isinstance(node, ast.ClassDef)
    ]
    tasks = {
        method.name
        for method in customer.body
        if isinstance(method, ast.FunctionDef)
        and (method.name == "on_start" or "task" in ast.unparse(method.decorator_list[0]))
    }

    assert tasks == {step.operation for journey in system.journeys for step in journey.steps}
    assert system.scenario == "old_shop.py"
