# SPDX-License-Identifier: EUPL-1.2
"""A program that is newer than the product, as a tuple of tools (NEWER): two more kinds of objects (the sample
tool's), a further root in documents and boards, a further record in the chat, and a further field in its messages."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from app.chat import projection as chat
from app.chat.records import MessageSent
from app.chat.tool import TOOL as CHAT
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import BadChange
from app.objects.crdt import CrdtDoc
from app.objects.object import Payload
from app.objects.pieces import Assembler, compaction, encode, merging
from app.richtext.model import ROOT_MAPS as DOCUMENT_MAPS
from app.richtext.model import ROOT_TEXTS as DOCUMENT_TEXTS
from app.richtext.model import TITLE_AT
from app.session import Session
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange
from app.tasks.model import ROOT_MAPS as BOARD_MAPS
from app.tasks.tool import TOOL as TASKS
from app.tool import AnyTool
from tests.sample_tool.app.tool import TOOL as MINUTES

NOTES, LANES = "notes", "lanes"
"""The further roots: a text in documents, a map in boards."""


class PollOpened(msgspec.Struct, frozen=True, kw_only=True, tag="poll"):
    """A further record of a conversation: a question to be voted on."""

    question: str


class MessageSentUntil(MessageSent, frozen=True, kw_only=True, tag="sent", omit_defaults=True):
    """A message with a further field: the day until which it is of use."""

    until: str = ""


_POLL: Payload[PollOpened] = Payload(PollOpened)
_MESSAGE: Payload[MessageSentUntil] = Payload(MessageSentUntil)
_POLLS = "CREATE TABLE chat_polls (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, question TEXT NOT NULL)"
_UNTIL = "CREATE TABLE chat_until (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, until TEXT NOT NULL)"


def _project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    known = _without_polls(changes)
    for change in changes:
        if change not in known:
            conn.execute(
                "INSERT OR REPLACE INTO chat_polls VALUES (?, ?, ?)",
                (change.rowid, obj.obj, _POLL.decode(change.data).question),
            )
    for change in known:
        try:
            until = _MESSAGE.decode(change.data).until
        except BadChange:
            continue
        conn.execute("INSERT OR REPLACE INTO chat_until VALUES (?, ?, ?)", (change.rowid, obj.obj, until))
    if known:
        chat.project(conn, obj, known)


def _positioned(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    chat.positioned(conn, obj, _without_polls(changes))


def _without_polls(changes: Sequence[StoredChange]) -> list[StoredChange]:
    known = []
    for change in changes:
        try:
            _POLL.decode(change.data)
        except BadChange:
            known.append(change)
    return known


def _tools() -> tuple[AnyTool, ...]:
    (talk,), (paper,), (board,) = CHAT.kinds, DOCUMENTS.kinds, TASKS.kinds
    texts, maps = (*DOCUMENT_TEXTS, NOTES), (*BOARD_MAPS, LANES)
    whole = compaction(texts=texts, maps=DOCUMENT_MAPS, title_at=TITLE_AT)
    cards = compaction(maps=maps)
    polled = replace(
        talk.kind,
        project=_project,
        positioned=_positioned,
        tables=(*talk.kind.tables, _POLLS, _UNTIL),
        format=talk.kind.format + 1,
    )
    noted = replace(
        paper.kind,
        compact=whole,
        merging=merging(texts=texts, maps=DOCUMENT_MAPS),
        format=paper.kind.format + 1,
    )
    laned = replace(
        board.kind, compact=cards, merging=merging(maps=maps, keep_deleted=True), format=board.kind.format + 1
    )
    return (
        replace(CHAT, kinds=(replace(talk, kind=polled),)),
        replace(DOCUMENTS, kinds=(replace(paper, kind=noted, snapshot=whole),)),
        replace(TASKS, kinds=(replace(board, kind=laned, snapshot=cards),)),
        MINUTES,
    )


NEWER = _tools()


def open_poll(at: Session, room: RoomId, question: str) -> None:
    """Writes a record into the room's chat that the product does not know."""
    at.store.changes.append(room, _chat(at, room), _POLL.encode(PollOpened(question=question)))


def say_until(at: Session, room: RoomId, text: str, until: str) -> None:
    """Sends a message with a field that the product does not know."""
    at.store.changes.append(room, _chat(at, room), _MESSAGE.encode(MessageSentUntil(text=text, until=until)))


def polls(at: Session) -> list[str]:
    """The questions of all conversations at a newer program, in the order in which they were stored."""
    return [question for (question,) in at.store.db.rows("SELECT question FROM chat_polls ORDER BY row")]


def untils(at: Session) -> list[str]:
    """The further fields of the messages at a newer program, in the order in which they were stored, without empty
    ones."""
    return [until for (until,) in at.store.db.rows("SELECT until FROM chat_until ORDER BY row") if until]


def _chat(at: Session, room: RoomId) -> ObjId:
    found = at.store.objects.first(room, CHAT.kinds[0].kind.id)
    assert found is not None
    return found.obj


def _crdt(at: Session, obj: ObjId) -> CrdtDoc:
    """An object as a program sees it that knows every root."""
    maps = (*dict.fromkeys([*DOCUMENT_MAPS, *BOARD_MAPS, LANES]),)
    doc = CrdtDoc(texts=(*DOCUMENT_TEXTS, NOTES), maps=maps)
    doc.apply(Assembler().feed(at.store.changes.of(obj)))
    return doc


def note_in(at: Session, obj: ObjId) -> str:
    """The text in a document's further root, as this computer's changes give it; "" if nothing was written there."""
    return str(_crdt(at, obj).text(NOTES))


def lane_in(at: Session, obj: ObjId, key: str) -> object:
    """A value in a board's further root, as this computer's changes give it; None if there is none."""
    return _crdt(at, obj).map(LANES).get((key,))


def write_note(at: Session, room: RoomId, obj: ObjId, words: str) -> None:
    """Adds words at the end of the text in a document's further root."""
    doc, made = _crdt(at, obj), list[bytes]()
    doc.updated.connect(lambda update: made.append(update.data))
    with doc.transact():
        doc.text(NOTES).insert(len(str(doc.text(NOTES)).encode()), words)
    _append(at, room, obj, made)


def set_lane(at: Session, room: RoomId, obj: ObjId, key: str, value: str) -> None:
    """Sets a value in a board's further root."""
    doc, made = _crdt(at, obj), list[bytes]()
    doc.updated.connect(lambda update: made.append(update.data))
    with doc.transact():
        doc.map(LANES).set((key,), value)
    _append(at, room, obj, made)


def _append(at: Session, room: RoomId, obj: ObjId, updates: Sequence[bytes]) -> None:
    with at.store.transaction():
        for update in updates:
            for data in encode(update):
                at.store.changes.append(room, obj, data)
