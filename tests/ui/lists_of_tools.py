# SPDX-License-Identifier: EUPL-1.2
"""The lists of the tools and of ui/kit, for tests/ui/test_lists_keep_place.py."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from app.chat.attached import AttachedFile
from app.chat.destroying import Month
from app.chat.model import Message, Reaction, Timeline
from app.chat.transfers import Transfer, Transfers
from app.core.ids import ChangeId, DevId, ObjId
from app.objects.files import Pasted
from app.richtext.carets import Caret
from app.richtext.model import Document
from app.tasks.model import Board
from tests.app.chat.destroys import Destroys, months_of
from tests.office import CHANNEL, EK, HL, ROOM, Folk, desk
from tests.ui.lists import FEW, MANY, Rows, Shown, named, number, painted, person, rows_of
from ui.chat.composer import Composer
from ui.chat.destroy_dialog import DestroyDialog
from ui.chat.file_list import FileListPage
from ui.chat.item_model import TimelineModel
from ui.chat.spoken import MessageSpot
from ui.chat.text_field import NameList
from ui.chat.timeline import TimelineView
from ui.chat.view import ChatView
from ui.documents.list_view import Documents
from ui.documents.list_view import Row as DocumentRow
from ui.documents.presence_panel import PresencePanel, PresenceRow
from ui.kit.buttons import IconButton
from ui.kit.chip import Chip
from ui.kit.presence_in_view import NothingKnown
from ui.kit.progress import ProgressRow
from ui.kit.tab_bar import Tab, TabBar
from ui.tasks.card_widget import CardWidget
from ui.tasks.checklist import Checklist, CheckRow
from ui.tasks.column_view import ColumnView
from ui.tasks.editor import CardEditor
from ui.tasks.filter import Due, Filter
from ui.tasks.filter_line import FilterLine, PartButton
from ui.tasks.kanban import KanbanView
from ui.tasks.table import CardTable


class _Cards:
    """A real board whose first column gets the cards of the rows."""

    def __init__(self) -> None:
        self.board = Board(me=HL)
        self.board.setup(["Att göra", "Klart"], done=1)
        self.ids: dict[str, str] = {}

    def show(self, rows: Rows) -> None:
        board, column = self.board, self.board.columns()[0].id
        for key in [key for key in self.ids if key not in rows]:
            board.delete_card(self.ids.pop(key))
        for key, text in rows.items():
            if key not in self.ids:
                self.ids[key] = board.add_card(column, text)
                if len(self.ids) > 1 and key == next(iter(rows)):
                    board.move_card(self.ids[key], column, board.cards(column)[0].id)
            elif (card := board.card(self.ids[key])) is not None and card.title != text:
                board.edit_card(self.ids[key], title=text)


def cards(folder: Path) -> Shown:
    made = _Cards()
    return rows_of(KanbanView(made.board, lambda: ()), made.show, CardWidget)


def files_of_a_room(folder: Path) -> Shown:
    """The list of a room's files."""
    page = FileListPage(lambda file: "Handläggare")

    def show(rows: Rows) -> None:
        files = [
            AttachedFile(message=ChangeId(key.encode()), number=0, name=f"{key} {text}.pdf", size_bytes=1, author=HL,
                         t=1_795_500_000_000, obj=CHANNEL)
            for key, text in rows.items()
        ]  # fmt: skip
        page.show_files(files)

    return painted(page, show, page.table, MANY)


def table(folder: Path) -> Shown:
    made = _Cards()
    view = CardTable(made.board, lambda: ())

    def held(key: str) -> QObject:
        return view

    return Shown(view, made.show, held, MANY, view)


def columns(folder: Path) -> Shown:
    board, ids = Board(me=HL), dict[str, str]()
    view = KanbanView(board, lambda: ())

    def show(rows: Rows) -> None:
        for key in [key for key in ids if key not in rows]:
            board.delete_column(ids.pop(key))
        for key, text in rows.items():
            if key not in ids:
                ids[key] = board.add_column(text)
                if len(ids) > 1 and key == next(iter(rows)):
                    board.move_column(ids[key], board.columns()[0].id)
            elif (found := board.column(ids[key])) is not None and found.title != text:
                board.rename_column(ids[key], text)

    return rows_of(view, show, ColumnView, IconButton, MANY[:8])


def _card(board: Board) -> str:
    board.setup(["Att göra"])
    return board.add_card(board.columns()[0].id, "Beslut å")


def checklist(folder: Path) -> Shown:
    board, ids = Board(me=HL), dict[str, str]()
    card = _card(board)
    view = Checklist(board)

    def show(rows: Rows) -> None:
        for key in [key for key in ids if key not in rows]:
            board.delete_check_item(card, ids.pop(key))
        for key, text in rows.items():
            if key not in ids:
                ids[key] = board.add_check_item(card, text)
            else:
                board.edit_check_item(card, ids[key], text)
        found = board.card(card)
        assert found is not None
        view.show_card(found)

    return rows_of(view, show, CheckRow, QLineEdit)


def chips(folder: Path) -> Shown:
    board, ids = Board(me=HL), dict[str, str]()
    card = _card(board)
    view = CardEditor(board, list, lambda uid: person("å", "Å"))
    view.open_card(card)

    def show(rows: Rows) -> None:
        for key in rows:
            if key not in ids:
                ids[key] = board.add_label(key, "info")
        for key, ident in ids.items():
            board.set_label(card, ident, key in rows)

    return rows_of(view, show, Chip, None, FEW)


def filter_parts(folder: Path) -> Shown:
    """Person, due date and label: the first is added, removed and changed."""
    board = Board(me=HL)
    _card(board)
    label = board.add_label("Brådskande å", "info")
    people = [person("who", "Enhetschef"), person("changed", "Registrator")]
    view = FilterLine(board, lambda: people, HL)

    def show(rows: Rows) -> None:
        who = {None: None, "who": people[0].uid}.get(rows.get("who"), people[1].uid)
        view.show_filter(Filter(person=who, due=Due.OVERDUE, label=label))

    def held(_key: str) -> QWidget:
        return named(view, PartButton, "Försenade")

    return Shown(view, show, held, ("who", "due", "label"))


def files(folder: Path) -> Shown:
    made: dict[str, Pasted] = {}
    view = Composer("Skriv å", list)

    def show(rows: Rows) -> None:
        for key in [key for key in made if key not in rows]:
            view.files.remove(made.pop(key))
            view._show_files()
        for key in rows:
            if key not in made:
                made[key] = Pasted(key, b"x")
                view.files.append(made[key])
                view._show_files()

    return rows_of(view, show, IconButton, None, FEW)


def names(folder: Path) -> Shown:
    window = QWidget()
    window.resize(600, 300)
    view = NameList(window, lambda chosen: None, NothingKnown())

    def show(rows: Rows) -> None:
        view.offer([person(key, text) for key, text in rows.items()])
        view.show()

    return replace(painted(window, show, view.list, FEW), first_chosen=True)


def uploads(folder: Path) -> Shown:
    at = desk(folder, HL)
    view = ChatView(at.chat, ROOM)
    running = at.chat.transfers._running

    def show(rows: Rows) -> None:
        running.clear()
        for key, text in rows.items():
            done = 1 if text == key else 2
            running[number(key), 0] = Transfer(
                key=(number(key), 0), room=ROOM, name=key, done=done, total=9, upload=True
            )
        at.chat.transfers.changed.emit(ROOM)

    return replace(rows_of(view, show, ProgressRow, QAbstractButton, FEW), close=at.close)


class _Messages:
    """A conversation in memory, as the store gives it."""

    def __init__(self) -> None:
        self.all: list[Message] = []

    def count(self) -> int:
        return len(self.all)

    def keys(self, first: int, limit: int) -> list[ChangeId]:
        return [message.change_id for message in self.page(first, limit)]

    def page(self, first: int, limit: int) -> list[Message]:
        return self.all[first : first + limit]

    def index_of(self, change_id: ChangeId) -> int | None:
        return next((at for at, message in enumerate(self.all) if message.change_id == change_id), None)

    def waiting(self) -> int:
        return 0

    def first_unread(self) -> int | None:
        return None


def _message(key: str, text: str, reactions: tuple[Reaction, ...] = ()) -> Message:
    return Message(change_id=ChangeId(number(key)), author=EK, t=1_795_000_000_000, text=text, reactions=reactions)


def messages(folder: Path) -> Shown:
    """The history before the messages grows and shrinks: the timeline changes from its beginning on."""
    rows_ = _Messages()
    timeline = Timeline(rows_)
    view = TimelineView(TimelineModel(timeline, Folk(HL)), Transfers())

    def show(rows: Rows) -> None:
        rows_.all = [_message(key, text) for key, text in rows.items()]
        timeline.refresh([message.change_id for message in rows_.all])

    return painted(view, show, view, MANY)


def message_parts(folder: Path) -> Shown:
    """The reactions of one message."""
    rows_ = _Messages()
    rows_.all = [_message("å", "Hej å")]
    timeline = Timeline(rows_)
    view = TimelineView(TimelineModel(timeline, Folk(HL)), Transfers())

    def show(rows: Rows) -> None:
        faces = {"👍": EK, "🙂": HL, "🎉": EK}
        shown = tuple(Reaction(emoji=key, uids=(faces[key],) * (1 + (text != key))) for key, text in rows.items())
        rows_.all = [_message("å", "Hej å", shown)]
        timeline.refresh([rows_.all[0].change_id])

    def held(key: str) -> QObject:
        spot = view.spoken_child(0)
        assert isinstance(spot, MessageSpot)
        return next(part for part in spot._inside() if key in QAccessible.queryAccessibleInterface(part).text(_NAME))

    return Shown(view, show, held, ("👍", "🙂", "🎉"))


_NAME = QAccessible.Text.Name


def documents(folder: Path) -> Shown:
    view = Documents()

    def show(rows: Rows) -> None:
        found = [DocumentRow(obj=ObjId(number(key)), title=text, excerpt="", when="") for key, text in rows.items()]
        view.rows.set_rows(found)

    return painted(view, show, view, MANY)


def presence(folder: Path) -> Shown:
    view = PresencePanel(Document(), person("jag", "Handläggare"))

    def show(rows: Rows) -> None:
        view.show_carets(
            [Caret(person=person(key, text), dev=DevId(number(key)), anchor=0, caret=0) for key, text in rows.items()]
        )

    return rows_of(view, show, PresenceRow, None, FEW)


def tabs(folder: Path) -> Shown:
    view = TabBar("Rummets verktyg")

    def show(rows: Rows) -> None:
        view.set_tabs([Tab(key, text, "chat") for key, text in rows.items()])
        view.choose(FEW[-2])

    def held(key: str) -> QObject:
        found = view.spoken_child(view.ids().index(key))
        assert found is not None
        return found

    return Shown(view, show, held, FEW)


def months(folder: Path) -> Shown:
    """The months that can be disposed of. Only the number of messages in each changes."""
    at = desk(folder, HL, admin=True)
    dialog = DestroyDialog(None, months_of(at, Destroys(at.store)), ROOM, [])
    numbers = {key: 24_000 + number for number, key in enumerate(MANY)}

    def show(rows: Rows) -> None:
        dialog._show(
            [
                Month(period=numbers[key], objs=(ObjId(number(key)),), messages=len(text), files=0, first_t=1, last_t=1,
                      late=0, waiting=0, is_over=True)
                for key, text in rows.items()
            ]
        )  # fmt: skip

    def held(key: str) -> QObject:
        row = dialog.rows.row(numbers[key])
        assert row is not None
        return row.box

    return Shown(dialog, show, held, FEW)


LISTS = {
    "ui/tasks/column_view.py": cards,
    "ui/tasks/kanban.py": columns,
    "ui/tasks/table.py": table,
    "ui/tasks/checklist.py": checklist,
    "ui/tasks/label_field.py": chips,
    "ui/tasks/filter_line.py": filter_parts,
    "ui/chat/composer.py": files,
    "ui/chat/file_list.py": files_of_a_room,
    "ui/chat/destroy_dialog.py": months,
    "ui/chat/text_field.py": names,
    "ui/chat/upload_rows.py": uploads,
    "ui/chat/item_model.py": messages,
    "ui/chat/spoken.py": message_parts,
    "ui/documents/list_view.py": documents,
    "ui/documents/presence_panel.py": presence,
    "ui/kit/tab_bar.py": tabs,
}
