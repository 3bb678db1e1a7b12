# SPDX-License-Identifier: EUPL-1.2
"""The sample follows the recipe of ARCHITECTURE.md: its imports, its slots, its texts and icons."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.i18n import read_po
from resources import path
from tests.sample_tool.app.service import MinutesService
from tests.test_tree import allowed, imports, python_files
from tests.ui import guarding
from tests.ui.guarding import methods
from tests.ui.loaded import widgets_loaded_with

HERE = Path(__file__).parent


def imports_beside_the_recipe(half: str, files: Sequence[Path]) -> list[str]:
    """The imports of a half that the recipe does not name."""
    own = {"tests.sample_tool.app", f"tests.sample_tool.{half}"}
    may = tuple(f"{name}." for name in allowed(half) | own)
    return [f"{file.name}: {name}" for file in files for name in imports(file) if not f"{name}.".startswith(may)]


@pytest.mark.parametrize("half", ["app", "ui"])
def test_it_imports_only_what_the_recipe_names(half: str) -> None:
    files = python_files(f"tests/sample_tool/{half}")
    assert files
    assert imports_beside_the_recipe(half, files) == []


def test_an_import_beside_the_recipe_is_named(tmp_path: Path) -> None:
    file = tmp_path / "view.py"
    file.write_text("from app.session import Session\nfrom ui.kit.style import column\n", encoding="utf-8")
    assert imports_beside_the_recipe("ui", [file]) == ["view.py: app.session.Session"]


READS = "agenda before close linked may_write minutes new_count open unstored"
"""The service's methods that change nothing: what a tool of the product adds to tests/ui/guarding.py."""


def test_every_slot_of_its_views_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    changing = frozenset(methods(MinutesService)) - set(READS.split())
    assert {"create", "add_item", "see_agenda"} <= changing
    monkeypatch.setitem(guarding.CHANGING, "service", changing)
    found = [bare for bare in guarding.bare_under(HERE / "ui") if Path(bare.file).name != "trial.py"]
    assert [str(bare) for bare in found] == []


def test_every_text_has_its_swedish_and_every_icon_is_there() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in python_files("tests/sample_tool/ui"))
    texts = set(re.findall(r'trn?\("([^"]+)"', source)) | set(re.findall(r'(?:title|noun|found)="([^"]+)"', source))
    swedish = {msgid for folder in (HERE, path("locale/sv")) for po in folder.glob("*.po") for msgid in read_po(po)}
    assert texts
    assert texts - swedish == set()
    icons = set(re.findall(r'icon="([^"]+)"', source))
    assert {name for name in icons if not path(f"icons/{name}.svg").is_file()} == set()


def test_its_views_are_imported_later_than_the_tool() -> None:
    assert widgets_loaded_with("tests.sample_tool.ui") == []


def test_a_process_that_only_merges_imports_no_service() -> None:
    code = "import sys, tests.sample_tool.app\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE.parents[1], capture_output=True, text=True, check=True)
    assert not {"app.tool", "app.rooms", "tests.sample_tool.app.service"} & set(done.stdout.split())
