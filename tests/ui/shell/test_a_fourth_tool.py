# SPDX-License-Identifier: EUPL-1.2
"""A window over the product's tools and one that it does not know: all that the tool gives is there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app import kinds
from app.core.ids import ObjId, RoomId
from app.objects.links import ObjectLink
from app.rooms.records import ObjectAnnounced, encode
from app.rooms.service import ObjectSummary
from app.session import Session
from app.setting import Setting
from app.store.rows import SearchHit
from tests.app.small_tool import KIND, SMALL, SmallService
from tests.ui.shell.kept_office import office
from tests.ui.shell.moment import moment
from tests.ui.shell.opened_office import open_session, receive, say
from tests.ui.shell.sample import NOW, at, listed
from tests.ui.shell.tool_views import TOOLS, FakeView
from tests.ui.soon import caught_up
from ui.kit.card import SectionHeader
from ui.kit.style import label
from ui.shell.tool_list import ToolList
from ui.shell.window.main_window import MainWindow
from ui.tool import HomeCard, Section, ShownKind, Tool, Trial, ViewParts
from ui.tool_parts import NewsWords, Origin, Place, ToolCommand, always

NOTE = ObjId(b"n" * 16)
SETTING = Setting(key="room-in-title", default=True, label="Theme", about="Theme")
Parts = ViewParts[SmallService]


def link(ref: bytes = b"") -> ObjectLink:
    """To the note in the case room."""
    return ObjectLink(room=office().case, obj=NOTE, kind=KIND.id, ref=ref)


class NoteView(FakeView):
    """A view that can do one thing."""

    def doable(self) -> dict[str, Callable[[], object]]:
        return {"stamp": DONE.clear}


DONE: list[str] = ["to be stamped"]


@dataclass
class Seen:
    """What the window asked the tool for."""

    parts: list[Parts] = field(default_factory=list)
    refreshed: int = 0


SEEN = Seen()


class NoteCard(QWidget):
    """A card that counts how often Home had it read everything again."""

    def refresh(self) -> None:
        SEEN.refreshed += 1


def _open(parts: Parts, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    SEEN.parts.append(parts)
    return NoteView("Anteckningar", parent)


def _origins(parts: Parts, places: Sequence[Place]) -> dict[Place, Origin]:
    return {place: Origin(person=office().head, quoted=False) for place in places}


def _summary(parts: Parts) -> QWidget:
    return label("Alla anteckningar", "body")


NOTES = Tool(
    app=SMALL,
    title="Paste",
    icon="edit",
    noun="files",
    found="files",
    open=_open,
    tab_shown=always,
    shows_people=False,
    kinds=(
        ShownKind(
            kind=KIND.id,
            icon="edit",
            place_icon="pin",
            noun=("file", "files"),
            listed=True,
            own=None,
            title=lambda note, room: f"{note.title} i {room}",
            line=lambda parts, note: f"raden om {note.title}",
            link_line=lambda parts, linked: f"länk till {linked.title}",
            origins=_origins,
            before=None,
            copy_question=None,
        ),
    ),
    sections=(
        Section(id="notes", title="Paste", icon="edit", make=_summary, count=lambda parts: 7, own=None, commands=()),
    ),
    cards=(HomeCard(title="Copy", make=lambda parts: NoteCard()),),
    notices=(),
    room_commands=(),
    commands=(ToolCommand(id="stamp", title="Copy", icon="edit", shortcuts=("Ctrl+Alt+Y",)),),
    news=NewsWords(
        named_in=lambda room: f"nämnd i {room}",
        new_in=lambda room: f"nytt i {room}",
        new_with=lambda text: f"nytt: {text}",
        named=lambda: "nämnd",
        count=lambda n: f"{n} nya",
    ),
    mark_read=None,
    mark_unread=None,
    settings=(SETTING,),
    trial=Trial(write=lambda service, room, words: None, reads=lambda service, room, words: True, checks=()),
)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = open_session(tmp_path, tools=(*kinds.TOOLS, SMALL))
    SEEN.parts.clear()
    return made


@pytest.fixture
def window(qapp: QApplication, session: Session) -> Iterator[MainWindow]:
    made = MainWindow(session, (*TOOLS, NOTES))
    made.resize(1440, 900)
    made.show()
    made.activateWindow()
    yield made
    made.close()
    made.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def note(updated_ms: int = 1) -> ObjectSummary:
    return listed(obj=NOTE, room=office().case, kind=KIND.id, title="Åäö", updated_ms=updated_ms, by=office().head.uid)


def buttons(view: QWidget) -> dict[str, QAbstractButton]:
    return {button.accessibleName(): button for button in view.findChildren(QAbstractButton)}


def test_its_tab_is_there_before_any_object_and_its_view_gets_the_typed_service(window: MainWindow) -> None:
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    assert view.tabs.ids() == ["chat", "documents", "tasks", "notes"]
    view.show_tool("notes")
    assert isinstance(view.current_view(), NoteView)
    (parts,) = SEEN.parts
    assert parts.people.me.is_me
    assert parts.rooms.may_write(office().case)
    with moment(at(14, 5)):
        assert parts.now().replace(second=0, microsecond=0, tzinfo=None) == NOW
    assert not view.panel.isVisible()


def test_its_section_is_in_the_rail_with_its_count_and_number(window: MainWindow) -> None:
    assert list(window.rail.items) == ["home", "rooms", "tasks", "notes", "search", "settings", "account"]
    assert window.rail.items["notes"].count() == 7
    keys = {each.id: each.key for each in window.sections}
    assert [keys[name] for name in ("tasks", "notes", "search", "settings")] == ["Ctrl+3", "Ctrl+4", "Ctrl+5", "Ctrl+6"]
    window.commands["notes"].run()
    assert window.content.stack.currentWidget() is window.content.of_tool("notes")
    assert window.rail.items["notes"].isChecked()


def test_home_has_its_card(window: MainWindow) -> None:
    assert window.content.home.findChildren(NoteCard)
    before = SEEN.refreshed
    window.content.home.refresh()
    assert SEEN.refreshed == before + 1


def test_its_command_is_offered_while_its_view_can_do_it(window: MainWindow) -> None:
    stamp = window.commands["stamp"]
    assert not stamp.enabled()
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    view.show_tool("notes")
    assert stamp.enabled()
    assert stamp in window.commands.shown()
    stamp.run()
    assert DONE == []


def test_its_settings_are_under_its_title(window: MainWindow) -> None:
    assert "Klistra in" in [each.text() for each in window.settings_view.findChildren(SectionHeader)]
    assert SETTING.key in window.settings_view.rows.controls


def test_its_objects_are_shown_in_its_words(window: MainWindow) -> None:
    tools = window.tools
    assert tools.title(note(), "Rum") == "Åäö i Rum"
    assert tools.line(note()) == "raden om Åäö"
    assert (tools.icon(KIND.id), tools.icon_of(link()), tools.icon_of(link(b"x"))) == ("edit", "edit", "pin")
    assert tools.listed([note()]) == [note()]
    assert tools.things() == "chatt, dokument, uppgifter och filer"
    assert tools.found() == "Meddelanden, dokument, uppgifter och filer"
    hit = SearchHit(room=office().case, obj=NOTE, kind=KIND.id, ref=b"r", title="", snippet="", t=1, rank=0.0)
    assert tools.origins([hit]) == {(NOTE, b"r"): Origin(person=office().head, quoted=False)}
    assert tools.with_history() == "dokument och tavlor"
    assert tools.without_history() == "chatt, filer och filer"


async def test_what_is_new_is_said_by_the_tool_whose_object_changed_last(window: MainWindow, session: Session) -> None:
    tools, objects = window.tools, session.rooms.objects(office().case)
    assert _new_in(tools, objects) == "Nytt meddelande i Rum"
    assert _new_in(tools, [*objects, note(updated_ms=at(23, 0))]) == "nytt i Rum"
    announced: list[str] = []
    window.announcer.announce = lambda kind, text, count=1: announced.append(text)  # type: ignore[method-assign]
    unit, head = office().unit, office().head
    say(session, unit, head, "Ett å 🙂", t_ms=at(14, 3))
    receive(session, unit, head, encode(ObjectAnnounced(obj=NOTE, kind=KIND.id)), obj=ObjId(unit))
    receive(session, unit, head, b"note", obj=NOTE, t_ms=at(14, 4))
    caught_up(window)
    assert "nytt i Enheten för tillsyn" in announced


def _new_in(tools: ToolList, objects: Sequence[ObjectSummary]) -> str:
    words = tools.news(objects)
    assert words is not None
    return words.new_in("Rum")
