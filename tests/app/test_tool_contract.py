# SPDX-License-Identifier: EUPL-1.2
"""The contract of tools: what a tool leaves out is named in a sentence, and a session works with any list of tools."""

import ast
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, assert_type, cast

import pytest

from app.chat.service import ChatService
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, RoomType
from app.core.ids import ObjId
from app.documents import KIND as DOCUMENT
from app.documents.service import DocumentService
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import BugError, DiskFull
from app.kinds import TOOLS
from app.objects.links import Linked, ObjectLink
from app.open_tools import OpenTools
from app.rooms.founding import Starter
from app.scopes import Scopes
from app.store.objects import Objects
from app.tasks.service import TaskService
from app.tasks.tool import TOOL as TASKS
from app.tool import (
    SERVICE,
    AnyTool,
    AppTool,
    Carry,
    NoBaseline,
    NoSnapshot,
    Offer,
    Parts,
    Service,
    ToolKind,
    Unsaved,
    from_snapshot,
)
from app.trial import trial
from app.unstored import Unstored
from tests.app.small_tool import KIND, SMALL, SmallService, kind_parts, tool_parts
from tests.world import until

ROOT = Path(__file__).parents[2]
NOTHING = cast("Parts", None)


def opened(*tools: AnyTool) -> OpenTools:
    return OpenTools(tools, cast("Objects", None), lambda tool: NOTHING, Scopes())


def without(given: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != part}


@pytest.mark.parametrize("part", [each.name for each in fields(ToolKind)])
def test_a_kind_that_leaves_out_a_part_is_refused_and_the_part_is_named(part: str) -> None:
    assert ToolKind(**kind_parts()).kind is KIND
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{part}'"):
        ToolKind(**without(kind_parts(), part))


@pytest.mark.parametrize("part", [each.name for each in fields(AppTool)])
def test_a_tool_that_leaves_out_a_part_is_refused_and_the_part_is_named(part: str) -> None:
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{part}'"):
        AppTool(**without(tool_parts(), part))


def test_the_parts_of_a_service_are_those_of_its_protocol() -> None:
    assert set(SERVICE) == {name for name in vars(Service) if not name.startswith("_")}


@pytest.mark.parametrize("part", SERVICE)
def test_a_service_that_leaves_out_a_part_is_refused_and_the_part_is_named(part: str) -> None:
    rest = {name: lambda *_: None for name in SERVICE if name != part}
    tool = AppTool(**tool_parts() | {"make": lambda _: SimpleNamespace(**rest)})
    with pytest.raises(BugError, match=f"The service of the tool 'notes' has no `{part}`"):
        opened(tool)


def test_a_service_of_another_class_is_refused() -> None:
    tool = AppTool(**tool_parts() | {"make": lambda _: SimpleNamespace(**dict.fromkeys(SERVICE))})
    with pytest.raises(BugError, match="makes another service than its `service` says"):
        opened(tool)


def of_documents(**changed: Any) -> ToolKind[DocumentService]:
    (kind,) = DOCUMENTS.kinds
    return replace(kind, **changed)


CARRY = Carry(SmallService.carry)
OFFER = DOCUMENTS.kinds[0].successor
FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a snapshot that the store does not make": (
        lambda: of_documents(kind=replace(DOCUMENT, compact=None)),
        "`snapshot` differs from its Kind's `compact`",
    ),
    "a reason for no snapshot beside one": (
        lambda: of_documents(snapshot=NoSnapshot("none")),
        "`snapshot` differs from its Kind's `compact`",
    ),
    "a baseline from a snapshot that there is not": (
        lambda: of_documents(kind=replace(DOCUMENT, compact=None), snapshot=NoSnapshot("none")),
        "its baseline is made from a snapshot, and it has no `snapshot`",
    ),
    "no baseline for a successor": (
        lambda: of_documents(baseline=NoBaseline("none")),
        "its `successor` is an Offer, which needs a `baseline` to begin from",
    ),
    "records offered like a document": (
        lambda: ToolKind(**kind_parts() | {"successor": OFFER}),
        "it has no `merging`, so its `successor` is a Carry",
    ),
    "a document carried like records": (
        lambda: of_documents(successor=CARRY),
        "it merges, so its `successor` is an Offer",
    ),
    "another kind's first object": (
        lambda: of_documents(starter=Starter(kind="board")),
        "its `starter` is of another kind",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parts_that_do_not_fit_together_are_refused_in_a_sentence(fault: str) -> None:
    make, sentence = FAULTS[fault]
    with pytest.raises(BugError) as raised:
        make()
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({}, "Two tools own the id 'notes'"),
        ({"id": "others"}, "Two tools own the kind 'note'"),
        ({"id": "others", "kinds": ()}, "Two tools own the kind of ephemeral message 9"),
    ],
)
def test_two_tools_never_own_the_same(other: dict[str, Any], sentence: str) -> None:
    one = AppTool(**tool_parts() | {"ephemeral": 9})
    with pytest.raises(BugError, match=sentence):
        opened(one, AppTool(**tool_parts() | {"ephemeral": 9} | other))


def test_a_tool_that_is_not_in_the_list_has_no_service() -> None:
    tools = opened(SMALL)
    assert tools.service(SMALL).asked == []
    with pytest.raises(BugError, match="The session has no tool 'chat'"):
        tools.service(CHAT)


def test_rules_are_joined_with_the_service_and_a_reason_is_no_rule() -> None:
    (rules,) = opened(SMALL).rules
    assert rules.carrier is not None
    assert list(rules.carrier([(ObjId(b"a" * 16), ObjId(b"b" * 16))])) == []
    assert (rules.baseline, rules.copy_into, rules.copier) == (None,) * 3
    assert isinstance(OFFER, Offer)
    assert DOCUMENTS.kinds[0].baseline is from_snapshot


async def test_a_session_works_with_a_tool_that_it_does_not_know(tmp_path: Path) -> None:
    tools = (*TOOLS, SMALL)
    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö", tools) as (_, session):
        small = session.service(SMALL)
        assert_type(small, SmallService)
        assert_type(session.service(CHAT), ChatService)
        assert_type(session.service(DOCUMENTS), DocumentService)
        assert_type(session.service(TASKS), TaskService)
        assert small.asked == ["start"]
        await until(lambda: session.status.state is LinkState.ONLINE)
        room = await session.rooms.create("Bygglov åäö", RoomType.CASE)
        found = session.store.objects.first(room, KIND.id)
        assert found is not None, "each room begins with the tool's starter"
        link = ObjectLink(room=room, obj=found.obj, kind=KIND.id, ref="å".encode())
        assert small.parts.find(link) == Linked(title="Note å")
        with pytest.raises(BugError, match="'notes' owns no kind of ephemeral message"):
            small.parts.send_ephemeral(room, b"")
        small.refused.append(Unsaved(obj=found.obj, draft=False))
        with pytest.raises(DiskFull):
            session.save()
        assert session.unstored() == [Unstored(title=found.title, room="Bygglov åäö", draft=False)]
        small.refused.clear()
        await session.close()
        assert small.asked == ["start", "save", "close_all"]


async def test_every_tool_of_the_product_closes_twice_without_harm(tmp_path: Path) -> None:
    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö") as (_, session):
        services: list[Service] = [session.service(CHAT), session.service(DOCUMENTS), session.service(TASKS)]
        await session.close()
        for service in services:
            service.close_all()


@pytest.mark.parametrize("file", ["session.py", "open_tools.py", "tool.py", "unstored.py", "bootstrap.py"])
def test_nothing_that_works_with_tools_names_one(file: str) -> None:
    tree, named = ast.parse((ROOT / "app" / file).read_text(encoding="utf-8")), set[str]()
    for node in ast.walk(tree):
        named |= {node.id} if isinstance(node, ast.Name) else set()
        named |= {node.attr} if isinstance(node, ast.Attribute) else set()
        named |= set((node.module or "").split(".")) if isinstance(node, ast.ImportFrom) else set()
    assert not named & {tool.id for tool in TOOLS}


def test_a_process_that_only_merges_imports_no_service() -> None:
    """The worker imports app/<tool> for its kind; a service would cost it memory."""
    packages = sorted(path.parent.name for path in (ROOT / "app").glob("*/tool.py"))
    assert packages == sorted(tool.id for tool in TOOLS)
    code = f"import sys, {', '.join(f'app.{name}' for name in packages)}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"app.tool", "app.rooms", *(f"app.{name}.service" for name in packages)} & set(done.stdout.split())
