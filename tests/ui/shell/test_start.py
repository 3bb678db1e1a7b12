# SPDX-License-Identifier: EUPL-1.2
"""What a start imports before the window is shown. Each module there delays it by a third of a millisecond."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.profile import DEFAULT, Profile
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import ME

ROOT = Path(__file__).parents[3]
NOT_YET = {
    # the views of tools, and what they are made of
    "ui.chat.view", "ui.documents.view", "ui.documents.list_view", "ui.tasks.view", "ui.tasks.kanban",
    "ui.tasks.own_board_page", "ui.tasks.task_pages", "ui.richtext", "ui.viewer", "app.viewing.plain_text",
    # the pages and dialogs of the window
    "ui.shell.room.room_view", "ui.shell.room.people_panel", "ui.shell.room.invitation_view",
    "ui.shell.room.member_dialogs", "ui.shell.settings", "ui.shell.notices.activity_page",
    "ui.shell.window.section_dialog", "ui.shell.window.revoked", "ui.shell.window.quitting",
    # the window before unlocking, and the curtain
    "ui.entry_views", "ui.shell.entry.unlock", "ui.shell.entry.welcome", "ui.shell.entry.curtain",
    # what is typed, chosen or shown in a dialog
    "ui.kit.day_field", "ui.kit.day_picker", "app.core.typed_days", "ui.kit.qr", "ui.kit.pictures",
    # libraries
    "httpx", "pycrdt", "anyio", "segno", "zxingcpp", "zxcvbn", "keyring", "importlib.metadata", "email", "html.parser",
    "xml", "urllib.request", "PySide6.QtPrintSupport", "app.licences", "sqlalchemy", "docx", "lxml", "PIL",
}  # fmt: skip
"""A package stands for all that is in it. What a window needs at once is not to be added here, but to become less."""


def loaded_when_shown(folder: Path) -> set[str]:
    """The modules that are imported when the window of a person with rooms and tasks is shown."""
    data, key = office().stores[ME]
    profile = Profile.open(DEFAULT, folder)
    profile.db_path.write_bytes(data)
    profile.close()
    env = {**os.environ, "KANSLI_DATA": str(folder), "KANSLI_RAW_KEY": key.hex(), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "tests.bench.window_run"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown_ns, modules = process.stdout.readline(), process.stdout.readline()
        process.terminate()
    assert shown_ns.strip().isdigit()
    return set(modules.split())


@pytest.mark.slow
def test_no_view_is_imported_before_the_window_is_shown(tmp_path: Path) -> None:
    loaded = loaded_when_shown(tmp_path)
    assert {"ui.shell.window.main_window", "ui.shell.home.home_page", "ui.tasks.home_card"} <= loaded
    assert [name for name in NOT_YET if find_spec(name) is None] == []
    within = tuple(f"{name}." for name in NOT_YET)
    assert sorted(name for name in loaded if name in NOT_YET or name.startswith(within)) == []


def test_what_waits_is_imported_one_module_at_a_time() -> None:
    """Otherwise a turn of the event loop would be as long as the import of a whole view."""
    code = """
import sys, ui.main
from app.core import later

def ours():
    names = {name for name in sys.modules if name.partition(".")[0] in ("app", "sync", "ui")}
    return {name for name in names if not hasattr(sys.modules[name], "__path__")}

before = ours()
steps = 0
for name in later.import_in_steps():
    steps += 1
    if len(new := ours() - before) > 1:
        print("together:", *sorted(new))
    before |= new
print(steps > 100, later.waiting(), "ui.chat.view" in before, "ui.shell.settings.settings_view" in before)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True [] True True"]


def test_waiting_modules_bring_no_library_that_few_people_need() -> None:
    """Such a library would take memory as long as the program runs."""
    spared = {"segno", "zxingcpp", "PySide6.QtPrintSupport", "html.parser", "httpx", "pycrdt", "importlib.metadata"}
    code = "import sys, ui.main; from app.core import later; list(later.import_in_steps())"
    shown = f"print({spared!r} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {shown}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
