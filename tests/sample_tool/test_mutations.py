# SPDX-License-Identifier: EUPL-1.2
"""A part that the sample left out would be named in a sentence.

Each mutation takes one part out of a copy of the sample's source, and opens the copy as a program does: the half in
`app/` by a session's list, the half in `ui/` by a window's. tests/app/test_tool_contract.py and
tests/ui/test_tool_contract.py try the contract's other parts one by one.
"""

import importlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.open_tools import OpenTools
from app.scopes import Scopes
from app.settings import Settings
from app.store.store import Store
from app.tool import AppTool, Parts, S
from tests.office import HL, KEY, Announcing, Folk
from tests.ui.view_parts import NoOwnRooms, NoReminders, NoRooms, no_settings
from ui.kit.presence_in_view import KnownPresence, NothingKnown
from ui.kit.translate import local_now
from ui.shell.tool_list import ToolList
from ui.tool import Tool

HERE = Path(__file__).parent
SUITE = count()


@dataclass(frozen=True)
class Mutation:
    """In a file of the sample, what `pattern` finds becomes `new`. `named`: what is said of it."""

    file: str
    pattern: str
    named: str
    new: str = ""


MUTATIONS = {
    "what a newcomer is given": Mutation(
        "app/tool.py",
        r" +baseline=from_snapshot,\n",
        "missing 1 required keyword-only argument: 'baseline'",
    ),
    "what the agenda of a successor receives": Mutation(
        "app/tool.py",
        r" +successor=Carry\(.*\),\n",
        "missing 1 required keyword-only argument: 'successor'",
    ),
    "which notices the agenda makes": Mutation(
        "app/tool.py",
        r" +notices=\(ADDED,\),\n",
        "missing 1 required keyword-only argument: 'notices'",
    ),
    "the notices that the store lets it make": Mutation(
        "app/__init__.py",
        r"notices=\(agenda.ADDED,\)",
        "The kind 'agenda': `notices` differs from its Kind's `notices`.",
        "notices=()",
    ),
    "how minutes merge": Mutation(
        "app/__init__.py",
        r" +merging=.*\n",
        "The kind 'minute': it has no `merging`, so its `successor` is a Carry.",
    ),
    "how the store makes snapshots": Mutation(
        "app/__init__.py",
        r" +compact=projection.compact,\n",
        "The kind 'minute': `snapshot` differs from its Kind's `compact`.",
    ),
    "what the service does when the session closes": Mutation(
        "app/service.py",
        r"    def close_all(?:.*\n)+?\n",
        "The service of the tool 'minutes' has no `close_all`.",
    ),
    "whether something can be in the trash": Mutation(
        "app/service.py",
        r" +trash = None\n",
        "The service of the tool 'minutes' has no `trash`.",
    ),
    "the agenda on screen": Mutation(
        "ui/__init__.py",
        r" +ShownKind\(\n +kind=AGENDA\.id(?:.*\n)+?        \),\n",
        "The tool 'minutes': its kind 'agenda' has no ShownKind.",
    ),
    "minutes as they were": Mutation(
        "ui/__init__.py",
        r"before=_before",
        "The tool 'minutes': its kind 'minute' merges, and has no `before`.",
        "before=None",
    ),
    "the question in a successor": Mutation(
        "ui/__init__.py",
        r"copy_question=lambda: .*,\n",
        "The tool 'minutes': its kind 'minute' is offered to a successor, and has no `copy_question`.",
        "copy_question=None,\n",
    ),
    "the words for so many new things": Mutation(
        "ui/__init__.py",
        r" +count=lambda n: .*\n",
        "missing 1 required keyword-only argument: 'count'",
    ),
}


@dataclass(frozen=True)
class Copy:
    """A copy of the sample, under another name."""

    name: str

    def open(self, folder: Path, *, is_listed: bool = True) -> ToolList:
        """Opens it as a program does. `is_listed`: the session's list has it, too."""
        tool = cast("AppTool[Any]", importlib.import_module(f"{self.name}.app.tool").TOOL)
        store = Store.create(folder / "office.db", KEY, {kind.id: kind for kind in tool.store_kinds})
        try:
            rooms = Announcing(store)
            parts = cast(
                "Parts", SimpleNamespace(db=store.db, changes=store.changes, objects=store.objects, rooms=rooms)
            )
            tools = OpenTools((tool,) if is_listed else (), store.objects, lambda _: parts, Scopes())
            screen = cast("Tool[Any]", importlib.import_module(f"{self.name}.ui").TOOL)
            return ToolList((screen,), Session(tools, Folk(HL), NoRooms(), no_settings()), local_now)
        finally:
            store.close()


@dataclass(frozen=True)
class Session:
    """A `ui.tool.Office` with the services of a session."""

    tools: OpenTools
    people: Folk
    rooms: NoRooms
    settings: Settings
    presence: KnownPresence = field(default_factory=NothingKnown)
    reminders: NoReminders = field(default_factory=NoReminders)
    own_room: NoOwnRooms = field(default_factory=NoOwnRooms)

    def service(self, tool: AppTool[S], /) -> S:
        return self.tools.service(tool)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mutation | None], Copy]]:
    """Copies the sample, with a mutation."""

    def copy(mutation: Mutation | None) -> Copy:
        name = f"mutant_{next(SUITE)}"
        for half in ("app", "ui"):
            shutil.copytree(HERE / half, tmp_path / name / half, ignore=shutil.ignore_patterns("__pycache__"))
        if mutation is not None:
            file = tmp_path / name / mutation.file
            text, found = re.subn(mutation.pattern, mutation.new, file.read_text(encoding="utf-8"))
            assert found == 1
            file.write_text(text, encoding="utf-8")
        for file in (tmp_path / name).rglob("*.py"):
            text = file.read_text(encoding="utf-8").replace("tests.sample_tool.", f"{name}.")
            file.write_text(text, encoding="utf-8")
        return Copy(name)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield copy
    for name in [name for name in sys.modules if name.startswith("mutant_")]:
        del sys.modules[name]


@pytest.mark.parametrize("left_out", MUTATIONS)
def test_what_is_left_out_is_named(copied: Callable[[Mutation | None], Copy], tmp_path: Path, left_out: str) -> None:
    with pytest.raises(Exception, match=re.escape(MUTATIONS[left_out].named)) as raised:
        copied(MUTATIONS[left_out]).open(tmp_path)
    assert type(raised.value).__name__ in ("TypeError", "BugError")


def test_a_copy_without_a_mutation_opens(copied: Callable[[Mutation | None], Copy], tmp_path: Path) -> None:
    assert [tool.id for tool in copied(None).open(tmp_path).all] == ["minutes"]


def test_the_line_in_the_apps_list_is_missed(copied: Callable[[Mutation | None], Copy], tmp_path: Path) -> None:
    with pytest.raises(Exception, match="The session has no tool 'minutes'"):
        copied(None).open(tmp_path, is_listed=False)
