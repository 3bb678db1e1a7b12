# SPDX-License-Identifier: EUPL-1.2
"""What the state machine of open objects needs of each tool: its service, a colleague's program, edits and views."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app.core.alarms import Alarms
from app.core.ids import ObjId, RoomId
from app.documents import KIND as DOCUMENT
from app.documents.service import DocumentService
from app.errors import StoreFault
from app.objects.crdt import REMOTE, CrdtDoc, Update
from app.objects.pieces import PAYLOAD, Assembler, Whole
from app.objects.trash import Retired
from app.richtext.model import Change, Document
from app.rooms.projection import KIND as ROOM_KIND
from app.store import arrivals
from app.store.database import Database
from app.store.store import Store
from app.tasks import KIND as BOARD
from app.tasks.model import Board
from app.tasks.service import TaskService
from tests.app.documents.desks import Timers
from tests.app.objects.crdts import crdt_of
from tests.office import COLUMNS, HL, Announcing, Folk, OwnPlaces, notices_of
from tests.patience import PATIENCE_S

KINDS = {kind.id: kind for kind in (ROOM_KIND, DOCUMENT, BOARD)}
OBJ = ObjId(b"o" * 16)


class Gate:
    """Commits apart wait until somebody uses the store."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        commit, settle = Database._commit_apart, Database._settle

        def waiting(db: Database) -> Exception | None:
            assert self.asked.wait(PATIENCE_S)
            return commit(db)

        def asking(db: Database) -> None:
            if db._committing is not None:
                self.asked.set()
            settle(db)

        patch.setattr(arrivals, "_SHORT", -1)
        patch.setattr(Database, "_commit_apart", waiting)
        patch.setattr(Database, "_settle", asking)


class Rooms(Announcing):
    """Announces in the store at once; nothing was put away."""

    def put_away(self, room: RoomId | None = None, by: object = None) -> list[Retired]:
        return []

    def may_write(self, room: RoomId) -> bool:
        return True


class Holder(ABC):
    """Somebody who shows the object. It reads the store when something changes, as views do for names of people."""

    def __init__(self, store: Store, doc: CrdtDoc) -> None:
        self.writing = False
        """This holder's own call of the model has not returned."""
        self._store = store
        self._ends = [doc.updated.connect(self._on_updated)]

    def _on_updated(self, update: Update) -> None:
        assert not (self.writing and update.origin == REMOTE), "a colleague's change in the middle of an own edit"

    def read_store(self) -> None:
        self._store.objects.get(OBJ)

    @abstractmethod
    def shows(self) -> object: ...

    def close(self) -> None:
        for end in self._ends:
            end()


class DocumentHolder(Holder):
    """Keeps the text by the edits that it is notified of, as an editor does."""

    def __init__(self, store: Store, document: Document) -> None:
        super().__init__(store, crdt_of(document))
        self._text = document.plain_text()
        self._ends.append(document.changed.connect(self._on_changed))

    def _on_changed(self, change: Change) -> None:
        text = self._text.encode("utf-16-le")
        for edit in change.edits:
            added = edit.text.encode("utf-16-le")
            text = text[: 2 * edit.pos] + added + text[2 * (edit.pos + edit.removed) :]
        self._text = text.decode("utf-16-le")
        self.read_store()

    def shows(self) -> object:
        return self._text


class BoardHolder(Holder):
    """Keeps the cards that it is notified of."""

    def __init__(self, store: Store, board: Board) -> None:
        super().__init__(store, crdt_of(board))
        self._board = board
        self._cards = {card: board.any_card(card) for card in board.cards_by_id()}
        self._ends.append(board.changed.connect(self._on_changed))

    def _on_changed(self, ids: frozenset[str]) -> None:
        self._cards |= {card: self._board.any_card(card) for card in ids}
        self.read_store()

    def shows(self) -> object:
        return {card for card in self._cards.values() if card is not None}


class Side(ABC):
    """One tool."""

    kind: ClassVar[str]

    @abstractmethod
    def service(self, store: Store) -> Any: ...

    @abstractmethod
    def new(self, emit: Callable[[bytes], None] | None = None) -> Any: ...

    @abstractmethod
    def begin(self, model: Any) -> None: ...

    @abstractmethod
    def edit(self, model: Any, at: int, what: int, token: str) -> None: ...

    @abstractmethod
    def view(self, model: Any) -> object: ...

    @abstractmethod
    def shown(self, model: Any) -> object: ...

    @abstractmethod
    def holder(self, store: Store, model: Any) -> Holder: ...

    def data(self, update: bytes) -> bytes:
        """A colleague's change: never in pieces."""
        return PAYLOAD.encode(Whole(update=update))

    def open(self, service: Any) -> Any:
        return service.open(OBJ)

    def close(self, service: Any) -> None:
        service.close(OBJ)

    def unsaved(self, service: Any) -> bool:
        return bool(service.unsaved(OBJ))

    def close_all(self, service: Any) -> list[bytes]:
        """Closes the service. The changes that it hands over because the disk refuses them."""
        with suppress(StoreFault):
            service.close_all()
            return []
        return list(service.unsaved_changes().get(OBJ, ()))

    def stored(self, store: Store) -> list[bytes]:
        """The updates in all the object's changes in the store."""
        return list(self.updates(data for (data,) in store.db.rows("SELECT data FROM changes WHERE obj = ?", (OBJ,))))

    def updates(self, found: Iterable[bytes]) -> Iterable[bytes]:
        return Assembler().feed_data([(b"", data) for data in found])

    def fresh(
        self, store: Store, more: Sequence[bytes] = (), *, order: Callable[[list[bytes]], list[bytes]] | None = None
    ) -> object:
        """The view of what the merged changes in the store make, and of updates that are not stored."""
        updates = [*self.updates(change.data for change in store.changes.of(OBJ)), *more]
        model = self.new()
        model.merge(order(updates) if order is not None else updates)
        try:
            return self.view(model)
        finally:
            model.close()


class DocumentSide(Side):
    kind = DOCUMENT.id

    def service(self, store: Store) -> DocumentService:
        rooms = Rooms(store)
        return DocumentService(store.db, store.changes, store.objects, Folk(HL), rooms, later=Timers().later)

    def new(self, emit: Callable[[bytes], None] | None = None) -> Document:
        return Document(emit)

    def begin(self, model: Document) -> None:
        model.set_up("Beslut å")

    def edit(self, model: Document, at: int, what: int, token: str) -> None:
        pos = at % (model.length_utf16 + 1)
        match what % 4:
            case 0:
                model.set_title(f"Beslut {token}")
            case 1:
                model.splice(pos, 0, f"{token}å\n🙂")
            case 2:
                model.format(pos, 3, {"bold": True})
                model.splice(pos, min(2, model.length_utf16 - pos), token)
            case _:
                model.splice(pos, 0, f"{token} ")

    def view(self, model: Document) -> object:
        return model.title, [(block.runs, block.style) for block in model.blocks()]

    def shown(self, model: Document) -> object:
        return model.plain_text()

    def holder(self, store: Store, model: Document) -> Holder:
        return DocumentHolder(store, model)


class BoardSide(Side):
    kind = BOARD.id

    def service(self, store: Store) -> TaskService:
        folk = Folk(HL)
        return TaskService(
            store.db,
            store.changes,
            store.objects,
            folk,
            folk,
            Rooms(store),
            notices_of(store),
            OwnPlaces(),
            alarms=Alarms(),
        )

    def new(self, emit: Callable[[bytes], None] | None = None) -> Board:
        return Board(emit)

    def begin(self, model: Board) -> None:
        model.setup(COLUMNS, done=3, title="Uppgifter å")
        model.add_card(model.columns()[0].id, "Begär yttrande 🙂", description="Ring sökanden å.")

    def edit(self, model: Board, at: int, what: int, token: str) -> None:
        ids, columns = sorted(model.cards_by_id()), model.columns()
        card, column = (ids or [""])[at % max(1, len(ids))], columns[at % len(columns)].id
        match what % 6 if ids else 1:
            case 0:
                model.edit_card(card, title=f"Beslut {token}")
            case 1:
                model.add_card(column, f"Begär {token} 🙂")
            case 2:
                model.move_card(card, column)
            case 3:
                model.edit_card(card, description=f"Läs akten {token}.\nRing sökanden å.")
            case 4:
                model.add_check_item(card, f"Bilaga {token}")
            case _:
                model.rename_column(column, f"Kolumn {token}")

    def view(self, model: Board) -> object:
        return model.title, model.columns(), model.all_cards(), model.archived(), model.put_away(), model.labels()

    def shown(self, model: Board) -> object:
        return {model.any_card(card) for card in model.cards_by_id()}

    def holder(self, store: Store, model: Board) -> Holder:
        return BoardHolder(store, model)


@dataclass(slots=True)
class Sent:
    """A colleague's change on its way here."""

    n: int
    whose: int
    data: bytes
    skipped: bool = False
    """A later one was first: the store knows that this one is missing."""
