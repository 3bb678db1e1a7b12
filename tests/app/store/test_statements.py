# SPDX-License-Identifier: EUPL-1.2
"""No statement of the hot path looks at every change: it would read the whole database into memory, on the loop."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store import statements
from app.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.create(tmp_path / "store.db", os.urandom(32), {})
    yield made
    made.close()


def reading() -> list[str]:
    """Every statement that reads, by its name."""
    named = vars(statements).items()
    return [name for name, sql in named if name.isupper() and isinstance(sql, str) and sql.startswith("SELECT")]


@pytest.mark.parametrize("name", reading())
def test_no_statement_scans_the_changes(store: Store, name: str) -> None:
    sql: str = getattr(statements, name)
    sql = sql if " FROM " in sql else f"{sql} FROM changes WHERE row = 1"
    numbered = [int(n) for n in re.findall(r"\?(\d+)", sql)]
    count = max(numbered) if numbered else sql.count("?")
    plan = [row[3] for row in store.db.rows(f"EXPLAIN QUERY PLAN {sql}", (0,) * count)]
    names = {"changes", *re.findall(r"\bchanges (?:AS )?(c\w*)\b", sql)}  # a plan names a table by its alias
    scans = [step for step in plan if step.startswith("SCAN ") and step.split()[1] in names]
    assert [step for step in scans if " INDEX " not in step] == []
