# SPDX-License-Identifier: EUPL-1.2
"""The tables of rules are up to date with the code: each rule that ▲ marks has a row, which names what holds it and the
tests that fail without it, and all of them exist. The rules of sync/ are in PROTOCOL.md, those of app/own in its
FORMAT.md, all others in docs/RULES.md."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.rules_table import PROTOCOL, ROOT, RULES, Rule, every_test, exists, marked, problems, rules

pytestmark = pytest.mark.slow  # reads every source

SYNC, OURS = rules(PROTOCOL), rules(RULES)
OWN = (ROOT / "app/own/FORMAT.md").read_text(encoding="utf-8").partition("## Tests of the rules")[2]
PLACES = {place for rule in SYNC + OURS for place in rule.places} | {
    p for p in re.findall(r"`([\w.]+)`", OWN) if exists(p)
}


@pytest.mark.parametrize("rule", SYNC + OURS, ids=lambda r: r.name)
def test_a_rule_names_what_holds_it_and_tests_that_exist(rule: Rule) -> None:
    assert problems(rule) == []


@pytest.mark.parametrize(("folder", "base"), [("sync", "sync"), ("app", "."), ("ui", ".")])
def test_what_the_code_marks_as_a_rule_stands_in_a_table(folder: str, base: str) -> None:
    """A new ▲ in the code needs a row: its sentence, and a test that fails without it."""
    found = marked(ROOT / folder, ROOT / base)
    assert len(found) > 50
    assert found - PLACES == set()


def test_every_row_of_the_protocols_table_is_read() -> None:
    """Names with a hyphen before the dot, such as dev-seq.rises, were passed over."""
    table = PROTOCOL.read_text(encoding="utf-8").partition("\n## 15. ")[2].partition("\n## ")[0]
    written = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [rule.name for rule in SYNC] == written
    assert any("-" in name.partition(".")[0] for name in written)


def test_a_rule_has_one_name() -> None:
    assert [name for name, count in Counter(r.name for r in SYNC + OURS).items() if count > 1] == []


def test_a_place_or_test_that_is_gone_is_missed() -> None:
    assert exists("trust.room.stream.RoomStream.place")
    assert not exists("trust.room.stream.RoomStream.no_such_rule")
    assert not exists("trust.no_such_module.place")
    assert "test_a_rule_has_one_name" in every_test()
    assert "test_" + "nobody_wrote_this" not in every_test()


def test_a_mark_is_found_in_a_function_a_class_and_a_module(tmp_path: Path) -> None:
    source = '"""▲ One."""\n\n\nclass Two:\n    """▲ Two."""\n\n    def three(self) -> None:\n        """▲ Three."""\n'
    (tmp_path / "place.py").write_text(source, encoding="utf-8")
    assert marked(tmp_path, tmp_path) == {"place", "place.Two", "place.Two.three"}
