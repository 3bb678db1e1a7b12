# SPDX-License-Identifier: EUPL-1.2
"""Which branches of the grammar a long run reaches: measured over some of its inputs, kept in a file between its
processes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coverage

ROOT = Path(__file__).parents[2]
MODULES = tuple(f"app/objects/{name}.py" for name in ("lib0", "values", "json_texts", "grammar"))


class Branches:
    """The branches that were taken while `watched` was open, in this process and in those before it."""

    def __init__(self, path: Path) -> None:
        include = [str(ROOT / module) for module in MODULES]
        self._path = path
        self._coverage = coverage.Coverage(str(path), branch=True, include=include, config_file=False, messages=False)
        self._coverage.load()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notes the branches that are taken inside. It makes the grammar slower."""
        self._coverage.start()
        try:
            yield
        finally:
            self._coverage.stop()

    def save(self) -> dict[str, Any]:
        """Writes the file. Returns how many branches there are and were taken, and by module the lines (from, to) of
        those that were not."""
        self._coverage.save()
        report = self._path.with_suffix(".json")
        self._coverage.json_report(outfile=str(report))
        found = json.loads(report.read_text())
        files = {Path(name).stem: file for name, file in found["files"].items()}
        totals = found["totals"]
        return {
            "grammar_branches": totals["num_branches"],
            "grammar_branches_reached": totals["covered_branches"],
            "grammar_branches_missed": {n: f["missing_branches"] for n, f in files.items() if f["missing_branches"]},
        }
