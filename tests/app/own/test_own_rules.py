# SPDX-License-Identifier: EUPL-1.2
"""The table of rules in app/own/FORMAT.md is up to date: each ▲ has its row, and what a row names exists. Names are
read from the sources; nothing is imported."""

from pathlib import Path

import pytest

from tests.rules_table import ROOT, Rule, problems, ticked

pytestmark = pytest.mark.slow  # reads every test's source

PAGE, _, TABLE = (ROOT / "app/own/FORMAT.md").read_text(encoding="utf-8").partition("## Tests of the rules")
ROWS = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in TABLE.splitlines() if row.startswith("| ")][
    1:
]


def test_each_rule_has_a_row() -> None:
    assert len(ROWS) == PAGE.count("▲") > 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_what_holds_the_rule_and_tests_that_exist(row: list[str]) -> None:
    sentence, places, tests = row
    assert problems(Rule(name="", sentence=sentence, places=ticked(places), tests=ticked(tests))) == []


def test_each_module_that_marks_a_rule_is_in_the_table() -> None:
    marked = {path.stem for path in Path(ROOT / "app/own").glob("*.py") if "▲" in path.read_text(encoding="utf-8")}
    assert marked <= {place.split(".")[2] for row in ROWS for place in ticked(row[1]) if place.startswith("app.own.")}
