# SPDX-License-Identifier: EUPL-1.2
"""A colleague writes names and links that Qt could take for HTML, that lead elsewhere, or that read backwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.chat.records import Attachment, MessageSent, ReactionSet, encode
from app.core.i18n import set_language
from app.core.ids import DevId, ObjId, new_change
from app.objects import pieces
from app.objects.crdt import Value
from app.richtext.flow import Marks
from app.richtext.model import Document
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import RoomNamed
from app.rooms.records import encode as encode_room
from app.store.store import Store
from app.tasks.model import Board
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.documents.desks import World
from tests.app.objects.crdts import crdt_of
from tests.office import BOARD_ID, CHANNEL, EK, HL, KEY, ROOM, Desk, desk, from_others, start_board
from tests.one_change import one_change as encode_board
from tests.ui.canary import canary, point_at
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session, receive
from tests.ui.shell.tool_views import TOOLS
from tests.world import until
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.kit import theme
from ui.kit.avatar import Avatar
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import SectionHeader
from ui.kit.dialogs import Dialog
from ui.kit.menu import Entry, build
from ui.kit.style import ElidedLabel, label
from ui.richtext.editor import Editor
from ui.shell.rows import Row, RowList
from ui.shell.window.main_window import MainWindow
from ui.tasks.view import TasksView

LONG = " för tillsyn av förskolans verksamhet i hela kommunen under hösten och våren" * 2
EVIL = "https://evil.example/x"
CYRILLIC = "https://\u0430pple.com/x"
BACKWARDS = "rapport\u202efdp.exe"


@pytest.fixture(autouse=True)
def light_and_swedish(qapp: QApplication) -> None:
    set_language("sv")
    theme.apply(qapp, "light")


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()


def shown(qtbot: QtBot, widget: QWidget, width: int = 800, height: int = 600) -> None:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()


def notified(text: str) -> str:
    """A tool tip's text without what was added to it to keep it one."""
    return " ".join(text.replace("\N{WORD JOINER}", "").split())


# -- texts that look like HTML ------------------------------------------------------------------------------------


async def test_attack_a_rooms_title_that_is_html_is_shown_as_text_and_opens_no_file(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with canary() as bird:
        session = open_session(tmp_path)
        case = office().case
        named = encode_room(RoomNamed(title=bird.html + LONG, type="case"))
        receive(session, case, office().head, named, obj=ObjId(case))
        title = session.rooms.room(case).title
        assert title.startswith(bird.html)
        window = MainWindow(session, TOOLS)
        shown(qtbot, window, 1200, 800)
        window.open_room(case)
        found = [w for w in window.findChildren(ElidedLabel) if w.accessibleName() == title and w.isVisible()]
        assert found
        for widget in found:
            assert notified(point_at(widget)) == " ".join(title.split())
        my_tasks = window.content.of_tool("tasks")
        window.content.stack.setCurrentWidget(my_tasks)
        headers = [w for w in my_tasks.findChildren(SectionHeader) if w.accessibleName() == title]
        assert headers
        assert {w.text() for w in headers} == {title}
        for header in headers:
            header.grab()
        window.close()


def test_attack_every_part_of_the_kit_shows_html_as_text(qtbot: QtBot) -> None:
    with canary() as bird:
        page = QWidget()
        parts = [
            Avatar("HL", 1, bird.html, parent=page),
            IconButton("add", bird.html, parent=page),
            ElidedLabel(bird.html + LONG, parent=page),
        ]
        for number, part in enumerate(parts):
            part.setGeometry(0, 40 * number, 60, 30)
        for text in (label(bird.html), SectionHeader(bird.html), TextButton(bird.html)):
            text.setParent(page)
        shown(qtbot, page)
        for part in parts:
            assert notified(point_at(part)).startswith(bird.html)
        page.grab()
        dialog = Dialog(page, bird.html, accept="OK")
        dialog.add_text(bird.html)
        dialog.add_error().show_text(bird.html)
        dialog.show()
        dialog.grab()
        dialog.close()


def test_attack_a_cards_title_that_is_html_is_shown_as_text_and_opens_no_file(qtbot: QtBot, hl: Desk) -> None:
    with canary() as bird:
        board = hl.tasks.board(ROOM)
        title = bird.html + LONG
        board.add_card(board.columns()[0].id, title)
        view = TasksView(hl.tasks, ROOM)
        shown(qtbot, view, 1100, 700)
        (widget,) = (w for column in view.kanban.columns for w in column.cards)
        assert notified(point_at(widget)) == " ".join(title.split())


@pytest.mark.parametrize("link", ["{html}", "file://{path}", 'https://a.se/<img/src="file://{path}"/>'])
def test_attack_a_documents_link_that_is_html_or_a_file_opens_none(qtbot: QtBot, link: str) -> None:
    with canary() as bird:
        document = Document()
        document.set_up("Beslut")
        document.splice(0, 0, "länken åäö", Marks(link=link.format(html=bird.html, path=bird.path)))
        colleague = Document()
        colleague.merge([document.snapshot()])
        editor = Editor(colleague)
        shown(qtbot, editor)
        at = editor.cursorRect().center() + QPoint(12, 0)
        tip = point_at(editor.viewport(), at)
        assert ("a.se" in tip) == link.startswith("https")
        assert bool(editor.anchorAt(at)) == link.startswith("https")


def test_attack_an_ampersand_or_a_tab_changes_no_menu_button_or_title(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    menu = build(page, "Meny", [Entry(text="R&D\tCtrl+Q", run=lambda: None)])
    assert menu.actions()[0].text() == "R&&D Ctrl+Q"
    assert TextButton("R&D", parent=page).text() == "R&&D"
    dialog = Dialog(page, "Ta bort [*]\u202e?", accept="OK")
    assert dialog.windowTitle() == "Ta bort [*][*]?"


# -- links that lead elsewhere --------------------------------------------------------------------------------------


def message(hl: Desk, qtbot: QtBot, text: str) -> ChatView:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text=text))], n=20, t=1_795_500_000_000)
    view = ChatView(hl.chat, ROOM)
    shown(qtbot, view)
    return view


def on_link(view: ChatView) -> QPoint:
    """A point on the first link of the only message."""
    layout = view.list.layout_of(0)
    assert layout.text is not None
    at, text = layout.text
    span = next(s for s in text.spans if s.run.href)
    return (text._rects(span.start, span.end)[0].center() + at).toPoint() + view.list.row_rect(0).topLeft()


def test_attack_a_label_that_names_another_host_is_followed_by_the_true_one(qtbot: QtBot, hl: Desk) -> None:
    view = message(hl, qtbot, f"Läs på [https://skatteverket.se]({EVIL}) 🙂")
    layout = view.list.layout_of(0)
    assert layout.text is not None
    assert layout.text[1]._layout.text() == "Läs på https://skatteverket.se →\u00a0evil.example 🙂"
    assert "evil.example" in view.model.spoken(0)
    assert point_at(view.list.viewport(), on_link(view)) == EVIL
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert "evil.example" in row.last_preview


def test_attack_a_documents_label_that_names_another_host_is_followed_by_the_true_one(qtbot: QtBot) -> None:
    document = Document()
    document.set_up("Beslut")
    document.splice(0, 0, "Se skatteverket.se åäö")
    plain = _ink(qtbot, document)
    document.format(3, 15, {"link": "https://skatteverket.se/x"})
    assert _ink(qtbot, document) == plain == 0
    document.format(3, 15, {"link": EVIL})
    assert _ink(qtbot, document) > 100
    editor = Editor(document)
    shown(qtbot, editor)
    assert editor.toPlainText() == document.plain_text() == "Se skatteverket.se åäö"
    editor.select(18)
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    editor.select(17)
    editor.insertPlainText("e")
    assert document.block(0).runs[1].marks.link == EVIL
    assert _warned(editor) > 100, "the note follows its link through edits"
    editor.select(8)
    assert EVIL in point_at(editor.viewport(), editor.cursorRect().center())


def _ink(qtbot: QtBot, document: Document) -> int:
    editor = Editor(document)
    shown(qtbot, editor)
    return _warned(editor)


def _warned(editor: Editor) -> int:
    """How many pixels of a note's ground are painted."""
    picture = editor.viewport().grab().toImage()
    ground = theme.current().colour("warning-soft").rgb()
    return sum(picture.pixel(x, y) == ground for y in range(80, 140) for x in range(picture.width()))


@pytest.mark.parametrize("tool", ["chat", "documents"])
async def test_attack_a_link_opens_nothing_before_its_true_address_was_asked(
    qtbot: QtBot, hl: Desk, monkeypatch: pytest.MonkeyPatch, tool: str, tmp_path: Path
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(bytes(QUrl(url).toEncoded().data()).decode())
    )
    view = message(hl, qtbot, CYRILLIC) if tool == "chat" else document_view(qtbot, tmp_path)
    for answer in ("Avbryt", "Öppna"):
        if isinstance(view, ChatView):
            QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=on_link(view))
        elif view.document is not None:
            view.document.editor.link_opened.emit(CYRILLIC)
        await until(lambda: bool(asked(view)))
        (dialog,) = asked(view)
        assert "xn--pple-43d.com" in " ".join(w.text() for w in dialog.findChildren(QLabel))
        assert opened == []
        next(b for b in dialog.findChildren(QPushButton) if b.text() == answer).click()
        await until(lambda: not asked(view))
    await until(lambda: bool(opened))
    assert opened == ["https://xn--pple-43d.com/x"]


def asked(view: QWidget) -> list[QDialog]:
    return [d for d in view.findChildren(QDialog) if d.isVisible()]


def document_view(qtbot: QtBot, folder: Path) -> DocumentsView:
    world = World(folder / "world")
    at = world.add(HL)
    view = DocumentsView(at.documents, ROOM, at.documents.create(ROOM, "Beslut"))

    def leave(widget: QWidget) -> None:
        view.show_list()
        world.close()

    qtbot.addWidget(view, before_close_func=leave)
    view.resize(1100, 700)
    view.show()
    return view


# -- names that read backwards, or that nobody sees -----------------------------------------------------------------


def test_attack_a_files_name_that_reads_backwards_is_put_right_wherever_it_is_shown(
    qtbot: QtBot, hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Attachment(name=BACKWARDS, size_bytes=5, media_type="application/pdf", manifest=b"m")
    sent = MessageSent(text="", attachments=(file, replace_name(file, "../../etc/\u200bpasswd")))
    from_others(hl, EK, CHANNEL, [encode(sent)], n=20, t=1_795_500_000_000)
    view = ChatView(hl.chat, ROOM)
    shown(qtbot, view)
    timeline = view.model.timeline
    assert [a.name for a in timeline.message(0).attachments] == ["rapportfdp.exe", "passwd"]
    assert "\u202e" not in view.model.spoken(0)
    view.list.menu_asked.emit(timeline.message(0), view.mapToGlobal(view.rect().center()))
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    assert "Spara rapportfdp.exe …" in [a.text() for a in menu.actions()]
    menu.close()
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert row.last_preview == "rapportfdp.exe, passwd"


def replace_name(file: Attachment, name: str) -> Attachment:
    return Attachment(name=name, size_bytes=file.size_bytes, media_type=file.media_type, manifest=file.manifest)


def test_attack_a_reaction_that_is_a_sentence_or_nothing_is_not_painted(hl: Desk) -> None:
    first = hl.chat.send(ROOM, "hej å")
    sentence = [encode(ReactionSet(target=first, emoji=text, on=True)) for text in ("\u202e\u200b", "👍\u202e")]
    from_others(hl, EK, CHANNEL, sentence, n=20, t=1_795_500_000_000)
    assert [r.emoji for r in hl.chat.timeline(ROOM).message(0).reactions] == ["👍"]


def test_attack_names_of_a_board_are_cleaned_and_bounded_where_they_are_read(qtbot: QtBot, hl: Desk) -> None:
    theirs = Board()
    theirs.merge([hl.tasks.board(ROOM).diff()])
    with crdt_of(theirs).transact():
        crdt_of(theirs).map("columns").set(("k",), {"title": "\u202e" + "Kolumn" * 100, "order": "a0", "done": False})
        crdt_of(theirs).map("labels").set(("l",), {"name": "rö\u200bd" * 100, "colour": "danger"})
        card: dict[str, Value] = {
            "title": BACKWARDS,
            "description": "rad\u202e ett\nrad två 🙂",
            "place": ["k", "a0"],
            "labels": {"l": True},
            "checklist": {"c": {"text": "punkt\u2067\x1b å", "done": False, "order": "a0"}},
        }
        crdt_of(theirs).map("cards").set(("x",), card)
    from_others(hl, EK, BOARD_ID, [encode_board(theirs.diff())], n=30, t=1_795_500_000_000)
    found = hl.tasks.board(ROOM).card("x")
    assert found is not None
    assert (found.title, found.description) == ("rapportfdp.exe", "rad ett\nrad två 🙂")
    assert [item.text for item in found.checklist] == ["punkt å"]
    (row,) = [row for row in hl.tasks.tasks(ROOM) if row.card == "x"]
    assert (row.title, row.column) == ("rapportfdp.exe", ("Kolumn" * 100)[:100])
    assert row.labels == (("danger", ("röd" * 100)[:100]),)
    view = TasksView(hl.tasks, ROOM)
    shown(qtbot, view, 1100, 700)
    assert max(column.minimumSizeHint().width() for column in view.kanban.columns) < 1100


def test_attack_a_title_of_nothing_leaves_the_room_in_the_list(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "office.db", KEY, {ROOM_KIND.id: ROOM_KIND}, tmp_path / "blobs")
    store.set_me(HL)
    for at, (title, kept) in enumerate((("\u202e\u200b", "–"), ("Ärende \u202e1184 🗂", "Ärende 1184 🗂"))):
        change = OpenedChange(
            n=at + 1, t=1_795_500_000_000, uid=EK, dev=DevId(EK), obj=ObjId(ROOM), change_id=new_change(),
            payload=encode_room(RoomNamed(title=title, type="case")),
        )  # fmt: skip
        store.receive(ReceivedSlice(room=ROOM, cursor=at + 1, state=b"", changes=[change]))
        row = store.rooms_list.get(ROOM)
        assert row is not None
        assert row.title == kept
    store.close()


def test_attack_a_documents_title_is_cleaned_in_lists_and_in_the_document(tmp_path: Path) -> None:
    world = World(tmp_path)
    at = world.add(HL)
    obj = at.documents.create(ROOM, "Beslut")
    theirs, updates = Document(), list[bytes]()
    theirs.merge([at.documents.open(obj).snapshot()])
    theirs._emit = updates.append
    with crdt_of(theirs).transact():
        crdt_of(theirs).map("meta").set(("title",), BACKWARDS + "\x00" + "å" * 300)
    world.arrive(at, EK, obj, pieces.PAYLOAD.encode(pieces.Whole(update=updates[0], title=BACKWARDS * 90)))
    assert at.documents.list(ROOM)[0].title == ("rapportfdp.exe" * 90)[:200]
    assert at.documents.open(obj).title == ("rapportfdp.exe" + "å" * 300)[:200]
    world.close()


def test_rows_of_lists_have_no_tool_tips_of_qts_own(qtbot: QtBot) -> None:
    rows = RowList("Rader")
    rows.rows.set_rows([Row(key=1, title="<b>fet</b>" + LONG)])
    shown(qtbot, rows, 200)
    assert point_at(rows.viewport(), QPoint(20, 10)) == ""
