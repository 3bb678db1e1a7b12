# SPDX-License-Identifier: EUPL-1.2
"""The contract of tools on screen: what a tool leaves out is named in a sentence, the two halves fit together, and
nothing in the shell names a tool."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from app.core.i18n import catalogue
from app.errors import BugError
from app.kinds import TOOLS as APP_TOOLS
from resources import path
from tests.app.small_tool import KIND, SMALL
from tests.office import HL, Folk
from tests.ui.loaded import widgets_loaded_with
from tests.ui.view_parts import tool_list
from ui import tools as listed
from ui.chat import TOOL as CHAT
from ui.documents import TOOL as DOCUMENTS
from ui.shell.tool_list import ToolList
from ui.shell.window.sections import sections
from ui.tasks import TOOL as TASKS
from ui.tool import AnyTool, HomeCard, Section, ShownKind, ShownNotice, Tool, Trial
from ui.tool_parts import NewsWords, ToolCommand, always, with_an_object

ROOT = Path(__file__).parents[2]
ANY_CHAT: Tool[Any] = CHAT
ANY_DOCUMENTS: Tool[Any] = DOCUMENTS
ANY_TASKS: Tool[Any] = TASKS
PRODUCT: tuple[Tool[Any], ...] = (ANY_CHAT, ANY_DOCUMENTS, ANY_TASKS)


def given(part: object) -> dict[str, Any]:
    """The arguments with which a part of a tool was made."""
    return {each.name: getattr(part, each.name) for each in fields(part)}  # type: ignore[arg-type] # a dataclass


def without(part: object, name: str) -> dict[str, Any]:
    return {key: value for key, value in given(part).items() if key != name}


PARTS: dict[type, object] = {
    Tool: TASKS,
    ShownKind: TASKS.kinds[0],
    Section: TASKS.sections[0],
    HomeCard: TASKS.cards[0],
    Trial: TASKS.trial,
    ToolCommand: DOCUMENTS.commands[0],
    NewsWords: CHAT.news,
    ShownNotice: TASKS.notices[0],
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, each.name) for kind in PARTS for each in fields(kind)], ids=lambda each: str(each)
)
def test_a_part_that_is_left_out_is_named(kind: type, name: str) -> None:
    assert kind(**given(PARTS[kind]))
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{name}'"):
        kind(**without(PARTS[kind], name))


def of_documents(**changed: Any) -> ShownKind[Any]:
    return replace(DOCUMENTS.kinds[0], **changed)


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a kind that is not shown": (
        lambda: replace(DOCUMENTS, kinds=()),
        "The tool 'documents': its kind 'document' has no ShownKind",
    ),
    "a kind of another tool": (
        lambda: replace(ANY_DOCUMENTS, kinds=(*ANY_DOCUMENTS.kinds, ANY_TASKS.kinds[0])),
        "its app half has no kind 'board'",
    ),
    "a kind that is shown twice": (
        lambda: replace(DOCUMENTS, kinds=DOCUMENTS.kinds * 2),
        "its kind 'document' has two ShownKinds",
    ),
    "no view of how it was": (
        lambda: replace(DOCUMENTS, kinds=(of_documents(before=None),)),
        "its kind 'document' merges, and has no `before`",
    ),
    "how records were": (
        lambda: replace(ANY_CHAT, kinds=(replace(ANY_CHAT.kinds[0], before=ANY_DOCUMENTS.kinds[0].before),)),
        "its kind 'chat' does not merge, so `before` is None",
    ),
    "notices without words": (
        lambda: replace(TASKS, notices=TASKS.notices[1:]),
        "its kinds make the notices",
    ),
    "no question in a successor": (
        lambda: replace(DOCUMENTS, kinds=(of_documents(copy_question=None),)),
        "its kind 'document' is offered to a successor, and has no `copy_question`",
    ),
    "a question about records": (
        lambda: replace(CHAT, kinds=(replace(CHAT.kinds[0], copy_question=str),)),
        "its kind 'chat' is carried over, so `copy_question` is None",
    ),
    "a section with own objects that no kind has": (
        lambda: replace(TASKS, kinds=(replace(TASKS.kinds[0], own=None),)),
        "its section 'tasks' shows own objects of a kind that has none",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_halves_that_do_not_fit_together_are_refused_in_a_sentence(fault: str) -> None:
    make, sentence = FAULTS[fault]
    with pytest.raises(BugError) as raised:
        make()
    assert sentence in str(raised.value)


def joined(*tools: AnyTool) -> ToolList:
    return tool_list(tools, Folk(HL), **{tool.id: object() for tool in PRODUCT}, notes=object())


SECTION = replace(TASKS.sections[0], own=None)
SMALL_KIND = replace(CHAT.kinds[0], kind=KIND.id)


def small(**changed: Any) -> Tool[Any]:
    """A tool that shows records of which the product knows nothing."""
    parts = (
        given(CHAT) | {"app": SMALL, "kinds": (SMALL_KIND,), "notices": (), "news": None, "mark_read": None} | changed
    )
    return Tool(**parts)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (small(sections=(replace(SECTION, commands=()),)), "Two tools on screen own the section 'tasks'"),
        (small(commands=DOCUMENTS.commands[:1]), "Two tools on screen own the command 'print'"),
    ],
)
def test_two_tools_never_own_the_same(other: AnyTool, sentence: str) -> None:
    with pytest.raises(BugError, match=sentence):
        joined(*PRODUCT, other)


def test_a_tool_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(BugError, match="Two tools on screen own the id 'chat'"):
        joined(CHAT, CHAT)


def test_the_windows_own_sections_are_taken() -> None:
    section = replace(SECTION, id="settings", commands=())
    with pytest.raises(BugError, match="The window itself has the section 'settings'"):
        sections(joined(small(sections=(section,))))


def test_the_list_on_screen_has_the_tools_of_the_app_in_some_order() -> None:
    assert sorted(tool.id for tool in listed.TOOLS) == sorted(tool.id for tool in APP_TOOLS)


def test_a_tab_is_shown_where_the_tool_says() -> None:
    hidden, shown = small(tab_shown=with_an_object), small(tab_shown=always)
    assert [tool.id for tool in joined(hidden).in_room([])] == []
    assert [tool.id for tool in joined(shown).in_room([])] == [SMALL.id], "its first object can be made there"


def test_the_rails_numbers_go_on_after_a_tools_section_and_end_at_nine() -> None:
    made = [replace(SECTION, id=f"section-{n}", commands=()) for n in range(8)]
    keys = {each.id: each.shortcuts for each in sections(joined(small(sections=tuple(made))))}
    assert keys["section-0"] == ("Ctrl+3",)
    assert keys["section-6"] == ("Ctrl+9",)
    assert (keys["section-7"], keys["search"]) == ((), ("Ctrl+Shift+F",))


@pytest.mark.parametrize("tool", PRODUCT, ids=lambda tool: tool.id)
def test_every_text_and_icon_that_a_tool_names_is_there(tool: Tool[Any]) -> None:
    texts = [tool.title, tool.noun, tool.found, *(word for kind in tool.kinds for word in kind.noun)]
    texts += [section.title for section in tool.sections] + [card.title for card in tool.cards]
    of_sections = [command for section in tool.sections for command in section.commands]
    texts += [*(command.title for command in tool.commands), *(command.title for command in of_sections)]
    texts += [kind.own for kind in tool.kinds if kind.own is not None]
    assert [text for text in texts if text not in catalogue("sv")] == []
    icons = {tool.icon, *(name for kind in tool.kinds for name in (kind.icon, kind.place_icon))}
    icons |= {section.icon for section in tool.sections}
    icons |= {*(command.icon for command in tool.commands), *(command.icon for command in of_sections)}
    assert [name for name in sorted(icons) if not path(f"icons/{name}.svg").is_file()] == []


# -- nothing names a tool -----------------------------------------------------------------------------------------

NAMED = {tool.id for tool in APP_TOOLS} | {kind.id for tool in APP_TOOLS for kind in tool.store_kinds}
WORDS = re.compile(rf"\b({'|'.join(sorted(f'{name}s?' for name in NAMED))})\b", re.IGNORECASE)
NO_TOOLS = [*sorted((ROOT / "ui/shell").rglob("*.py"))]
NO_TOOLS += [ROOT / "ui" / f"{name}.py" for name in ("main", "program", "ending", "entry_views", "stage", "selftest")]
NO_TOOLS += [ROOT / "ui" / f"{name}.py" for name in ("tool", "tool_parts", "tool_views", "trash", "errands", "signals")]
NO_TOOLS += [ROOT / "ui/idle_imports.py"]


def docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Bare strings: of modules, classes and functions, and under attributes."""
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))


def naming(file: Path) -> list[str]:
    """What of a file names a tool or a kind: a constant with the word in it, an attribute, an import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    told = set(map(id, docstrings(tree)))
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            found += [f"{node.lineno}: {node.value!r}"] if WORDS.search(node.value) else []
        elif isinstance(node, ast.Attribute):
            found += [f"{node.lineno}: .{node.attr}"] if node.attr in NAMED else []
        elif isinstance(node, ast.ImportFrom):
            parts = set((node.module or "").split(".")) & NAMED
            found += [f"{node.lineno}: {node.module}"] if parts and node.module != "ui.kit.tasks" else []
    return found


@pytest.mark.parametrize("tool", ["ui.chat", "ui.documents", "ui.tasks"])
def test_a_tools_views_are_imported_later_than_the_tool(tool: str) -> None:
    assert widgets_loaded_with(tool) == []


def test_a_view_that_is_imported_with_its_tool_is_named() -> None:
    assert "ui.chat.view ChatView" in widgets_loaded_with("ui.chat.view")


@pytest.mark.parametrize("file", NO_TOOLS, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_that_shows_tools_names_one(file: Path) -> None:
    assert naming(file) == []


@pytest.mark.parametrize(
    "line",
    [
        'kind != "chat"',
        'frame("board")',
        "session.documents",
        'tr("Rooms hold chat and people.")',
        "from app.tasks.tool import TOOL",
        "from ui.chat import TOOL",
    ],
)
def test_a_name_is_found(tmp_path: Path, line: str) -> None:
    file = tmp_path / "named.py"
    file.write_text(f'"""A chat in a docstring."""\n{line}\n', encoding="utf-8")
    assert naming(file)
