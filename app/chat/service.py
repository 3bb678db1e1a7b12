# SPDX-License-Identifier: EUPL-1.2
"""What can be done in a chat: write, edit, delete, react, send and fetch files, mark as read, keep a draft.

Everything is durable when a call returns, online or not. Rights are checked here too, so that no view offers an action
that the other members' programs would ignore; projection.py decides.
"""

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.chat import projection
from app.chat.attached import AttachedFile, AttachedFiles
from app.chat.authority import second_id
from app.chat.carrying import carry
from app.chat.destroying import Months
from app.chat.drafts import Draft, Drafts
from app.chat.errors import EmptyMessage
from app.chat.files import MAX_FILE_BYTES, Files, Picture
from app.chat.keeping import Keeping
from app.chat.lines import ChatLines
from app.chat.mentions import find
from app.chat.model import Author, Message, Timeline
from app.chat.opening import Opening
from app.chat.ports import Blobs, Members, NoReads, NoThings, People, Reads, SendEphemeral, SharedDrafts, Things
from app.chat.read_state import ReadState
from app.chat.reads import ChatRows, has_reaction, message_line
from app.chat.records import MessageDeleted, MessageEdited, MessageSent, ReactionSet, Record, encode
from app.chat.settling import carried_among, successors
from app.chat.stranded import Stranded, StrandedCount
from app.chat.transfers import Transfers
from app.chat.typing import Typing
from app.chat.writing import Writing
from app.core.enums import RoomType
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import ExportOff, Forbidden, NotFound, StoreFault
from app.objects.files import Source
from app.objects.links import Linked, ObjectLink, linked_object
from app.people.person import Person
from app.setting import Switch
from app.store import series
from app.store.changes import Changes
from app.store.counters import Counter
from app.store.database import Database
from app.store.objects import Objects
from app.store.origins import MAX_HOPS
from app.store.room_lines import RoomLines
from app.store.rows import StoredChange
from app.tool import Unsaved


class ChatService:
    """What this account can do in the chats of its rooms. Lives on the event loop."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        objects: Objects,
        people: People,
        members: Members,
        *,
        blobs: Blobs | None = None,
        things: Things | None = None,
        lines: RoomLines | None = None,
        room_changed: Signal[RoomId] | None = None,
        send_ephemeral: SendEphemeral | None = None,
        reads: Reads | None = None,
        drafts: SharedDrafts | None = None,
        shows_typing: Switch | None = None,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        """`lines`: what happened in rooms, to be shown between messages; None: it is not. `room_changed` names a room
        in which something may have happened."""
        self.changed: Signal[RoomId] = Signal()
        """The room whose conversation has new or changed content, or was read."""
        self.room_marked_unread: Signal[RoomId] = Signal()
        """Emitted with a room whose latest message the person has marked as unread from outside the conversation
        (`mark_room_unread`), also if that changed nothing."""
        self.people = people
        self.things: Things = things or NoThings()
        self.transfers = Transfers()
        self.typing = Typing(send_ephemeral, shows_typing)
        self.files = Files(blobs, self.transfers, max_file_bytes)
        self.attached = AttachedFiles(db, self.channel)
        self.may_export: Callable[[], bool] = lambda: True
        """Whether policy lets files be saved outside the program."""
        self.may_print: Callable[[], bool] = lambda: True
        """Whether policy lets files be printed."""
        self.keeping: Keeping | None = None
        """Keeps received files on this computer; None: the person cannot choose that, and they stay while there is
        space."""
        self.opening: Opening | None = None
        """Opens files in other programs; None: files can only be shown and saved."""
        self.months: Months | None = None
        """Destroys months of conversations; None: that is not offered."""
        self._db = db
        self.line = partial(message_line, db)
        self._changes = changes
        self._objects = objects
        self._members = members
        self._lines = lines
        self._read_state = ReadState(db, objects, reads or NoReads(db), self.channel, lambda: self.me, self.changed)
        self._timelines: weakref.WeakValueDictionary[ObjId, Timeline] = weakref.WeakValueDictionary()
        self._drafts = Drafts(objects, self.channel, drafts)
        self._writing = Writing(db, changes, objects, members, self.channel)
        self._stranded = Stranded(db, changes, self._writing, blobs, lambda: self.me)
        self.draft_changed: Signal[RoomId] = Signal()
        """The room's draft was sent or changed on another device of this person, or there is one there now."""
        self._ends = [
            changes.appended.connect(lambda change: self._on_changes([change])),
            changes.received.connect(self._on_changes),
            changes.positioned.connect(self._on_changes),
            *([room_changed.connect(self._on_room)] if room_changed is not None else []),
            self._read_state.close,
            *([drafts.changed.connect(self._on_drafts)] if drafts is not None else []),
        ]

    trash = None
    """Nothing in a chat can be put away."""

    def start(self) -> None:
        """Does nothing: nothing is left to complete from an earlier run."""

    def close_all(self) -> None:
        """Stops following the store, and stores the drafts that the disk has refused so far. A second call does no
        harm. StoreFault if the disk refuses them again."""
        for end in self._ends:
            end()
        self.save()

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def me(self) -> Uid:
        """This account's person."""
        return self.people.me.uid

    def channel(self, room: RoomId) -> ObjId | None:
        """The id of the room's conversation, that of its first object; None until the room has one."""
        return series.first(self._db, room, projection.KIND_ID)

    def timeline(self, room: RoomId) -> Timeline:
        """The room's conversation as a live list for views. Every caller gets the same one as long as any
        caller holds it; then a new one is made. NotFound if the room has no conversation."""
        obj = self._channel(room)
        timeline = self._timelines.get(obj)
        if timeline is None:
            rows = ChatRows(self._db, obj, self.me)
            lines = ChatLines(self._lines, room, rows) if self._lines is not None else None
            timeline = self._timelines[obj] = Timeline(rows, lines)
        return timeline

    def room_title(self, room: RoomId) -> str:
        """The room's title; for a direct room with one other member that person's name. "" if the room is unknown."""
        row = self._db.one("SELECT title, type FROM rooms WHERE room = ?", (room,))
        if row is None:
            return ""
        others = [p.name for p in self.members(room) if not p.is_me] if row[1] == RoomType.DIRECT else []
        return others[0] if len(others) == 1 else str(row[0])

    def members(self, room: RoomId) -> list[Person]:
        """The people who can be mentioned in the room."""
        return list(self._members.people_in(room))

    def unread(self, room: RoomId) -> tuple[int, int]:
        """(unread messages in the room's conversation, at most MAX_UNREAD; those of them that mention this person).
        (0, 0) without a conversation."""
        obj = self.channel(room)
        counter = self._objects.counter(obj) if obj is not None else Counter()
        return counter.unread, counter.mentions

    def authors(self, places: Sequence[tuple[ObjId, bytes]]) -> dict[tuple[ObjId, bytes], Author]:
        """The authors to show for messages, each named by (conversation, message id). Messages that are not here are
        left out."""
        if not places:
            return {}
        sql = (
            "SELECT series, change_id, author, named FROM chat_messages"  # noqa: S608 - marks only
            f" WHERE (series, change_id) IN (VALUES {', '.join(['(?, ?)'] * len(places))})"
        )
        rows = self._db.rows(sql, [part for place in places for part in place])
        return {(obj, ref): Author(uid=author, quotes=named is not None) for obj, ref, author, named in rows}

    def can_edit(self, room: RoomId, message: Message) -> bool:
        """Whether the user may edit the message: its record names them as the author, it is not deleted, and they may
        write in the room."""
        return message.record_author == self.me and self._may_change(room, message)

    def can_delete(self, room: RoomId, message: Message) -> bool:
        """Whether the user may delete the message: it is not deleted yet, and they may write in the room. Besides, its
        record names them as the author, or they carried it over from an old room, or they are administrator."""
        may = self.me in (message.record_author, message.carried_by) or self._members.is_admin(room)
        return may and self._may_change(room, message)

    def _may_change(self, room: RoomId, message: Message) -> bool:
        """Whether a message can be changed at all: it is not deleted, the object that it lies in is not destroyed, and
        this person may write in the room."""
        return not message.deleted and not self.is_destroyed(room, message) and self.may_write(room)

    def is_destroyed(self, room: RoomId, message: Message | AttachedFile) -> bool:
        """Whether the object that has the message, or the file, is destroyed; False if the store cannot be read."""
        with suppress(StoreFault):  # views ask too, with no place for a fault: an action itself raises it
            return series.is_destroyed(self._db, room, message.obj)
        return False

    def may_write(self, room: RoomId) -> bool:
        """Whether this person may write in the room."""
        return self._members.may_write(room)

    # -- writing ---------------------------------------------------------------------------------------------------

    def send(self, room: RoomId, text: str, *, reply_to: ChangeId | None = None) -> ChangeId:
        """Stores a message, which is sent at once or when online again, and returns its id. The first message of a
        month begins the object of that month. `reply_to`: the message that it answers, not checked. Mentions are found
        in the text. EmptyMessage, MessageTooLong, NotFound if the room has no conversation."""
        text = text.strip()
        if not text:
            raise EmptyMessage
        record = MessageSent(text=text, reply_to=reply_to, mentions=find(text, partial(self.members, room)))
        change_id = self._writing.write(room, self._writing.place(room), record)
        self.typing.send(room, on=False)
        return change_id

    def stranded(self, room: RoomId) -> StrandedCount:
        """What this person has written in the room that reaches nobody where it was written."""
        return self._stranded.count(room)

    def write_stranded(self, room: RoomId) -> None:
        """Writes stranded messages once more in the present month, as `Stranded.write_again` does."""
        self._drop(room, self._stranded.write_again(room))

    def discard_stranded(self, room: RoomId) -> None:
        """Removes stranded messages for good, as `Stranded.discard` does."""
        self._drop(room, self._stranded.discard(room))

    def _drop(self, room: RoomId, gone: Sequence[StoredChange]) -> None:
        self.timeline(room).refresh(projection.touched_by(gone))
        self.changed.emit(room)

    def edit(self, room: RoomId, target: ChangeId, text: str) -> None:
        """Replaces the text of `target`, one's own message, by `text`; does nothing if that is the same. An empty text
        is possible if the message has files. Forbidden as in `can_edit` (not one's own, deleted, or one may not write
        in the room), NotFound, EmptyMessage, MessageTooLong."""
        message = self._message(room, target)
        text = text.strip()
        if not self.can_edit(room, message):
            raise Forbidden
        if not text and not message.attachments:
            raise EmptyMessage
        if text != message.text:
            self._append(
                room, message, MessageEdited(target=target, text=text, mentions=find(text, partial(self.members, room)))
            )

    def delete(self, room: RoomId, target: ChangeId) -> None:
        """Deletes the message `target`: its text and files are removed, a trace stays. Forbidden (also if it is
        deleted), NotFound."""
        message = self._message(room, target)
        if not self.can_delete(room, message):
            raise Forbidden
        self._append(room, message, MessageDeleted(target=target))

    def react(self, room: RoomId, target: ChangeId, emoji: str, on: bool | None = None) -> None:
        """Sets this person's reaction with `emoji` to the message `target` (`on` True), takes it back (False), or
        toggles it (None). Does nothing if the message is deleted, or if the reaction is so already. Forbidden; NotFound
        without a conversation or if the message is not here; BadChange for an emoji that is too long or empty."""
        message = self._message(room, target)
        if not self.may_write(room):
            raise Forbidden
        mine = has_reaction(self._db, message.obj, target, emoji, self.me)
        wanted = not mine if on is None else on
        if wanted != mine and self._may_change(room, message):
            self._append(room, message, ReactionSet(target=target, emoji=emoji, on=wanted))

    def mark_read(self, room: RoomId, seen: Collection[ChangeId]) -> None:
        """Marks the messages `seen` as read because they were on screen. The read mark moves forward and stops before
        the first message that has not been on screen. Later ones that have been are stored one by one, on this
        computer. Does nothing if nothing in the room is unread."""
        self._read_state.see(room, seen)

    def mark_all_read(self, room: RoomId) -> None:
        """Marks all received messages of a room as read, except mentions of this person that were not on screen."""
        self._read_state.see_all(room)

    def can_mark_unread(self, message: Message) -> bool:
        """Whether the user may mark a message as unread: somebody else wrote it, and it is not deleted."""
        return self.me not in (message.record_author, message.carried_by) and not message.deleted

    def mark_unread(self, room: RoomId, target: ChangeId) -> None:
        """Marks the message `target` and what is behind it as unread on all devices. NotFound, Forbidden."""
        if not self.can_mark_unread(self._message(room, target)):
            raise Forbidden
        self._read_state.unsee(room, target)

    def mark_room_unread(self, room: RoomId) -> None:
        """Marks the latest message of others in the room as unread. Does nothing if there is none, or unread ones."""
        self._read_state.unsee_last(room)
        self.room_marked_unread.emit(room)

    def draft(self, room: RoomId) -> Draft:
        """What was being written in a room, also after a restart; an empty draft if nothing was, or if it cannot be
        read."""
        return self._drafts.get(room)

    def keep_draft(self, room: RoomId, draft: Draft) -> None:
        """Stores what is being written in a room, as `Drafts.keep` does."""
        self._drafts.keep(room, draft)

    def leave_draft(self, room: RoomId) -> None:
        """Shares what was being written in a room with the person's other devices, as `Drafts.leave` does. Call it when
        the person has left the field, or has sent what was in it."""
        self._drafts.leave(room)

    def save(self) -> None:
        """Tries again to store the drafts that the disk refused. StoreFault if it refuses one of them again, after all
        were tried; the refused ones stay in memory."""
        self._drafts.save()

    def unstored(self) -> list[Unsaved]:
        """The drafts that the disk has refused, as `Drafts.unstored` returns them."""
        return self._drafts.unstored()

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Receives that a colleague is writing, or has stopped."""
        self.typing.receive(room, uid, dev, payload)

    def linked(self, link: ObjectLink) -> Linked | None:
        """What to show of the conversation to which the link leads, or, if it has a `ref`, of that message in it; None
        if it is not here."""
        return self.line(link) if link.ref else linked_object(self._objects, link)

    def carry(self, objects: Sequence[tuple[ObjId, ObjId]]) -> Iterator[Sequence[tuple[ObjId, bytes]]]:
        """Yields groups of pairs (object, encoded change), oldest first, that carry a conversation over into the room
        that continues its room; the caller writes each group in one transaction. `objects`: the conversation's objects,
        each with the object that continues it. Leaves out messages that are there already, and those that the server
        does not have."""
        return carry(self._db, objects)

    # -- files -----------------------------------------------------------------------------------------------------

    async def send_file(
        self,
        room: RoomId,
        sources: Sequence[Source],
        text: str = "",
        *,
        reply_to: ChangeId | None = None,
        pictures: Mapping[Source, Picture] | None = None,
    ) -> ChangeId:
        """Encrypts files and stores one message with them, which is sent when they are uploaded. Returns the message's
        id. `reply_to`: the message that it answers; `pictures`: size and preview of the files that are images. Progress
        and cancelling through `transfers`.

        Checked before the first file is encrypted: EmptyMessage without a file, even with a text; TooManyFiles;
        MessageTooLong; FileTooLarge, FileUnreadable, BadFileName; NotFound without a conversation. Later: DiskFull,
        StoreUnwritable. If this raises or is cancelled before the message is stored, no part of its files is kept.
        """
        text = text.strip()
        record = MessageSent(text=text, reply_to=reply_to, mentions=find(text, partial(self.members, room)))
        return await self._writing.write_files(room, record, self.files, sources, pictures or {})

    def check_export(self) -> None:
        """Raises ExportOff if the machine's policy lets no file be saved outside the program. Call it before the person
        is asked where to save."""
        if not self.may_export():
            raise ExportOff()

    async def fetch_file(self, room: RoomId, message: Message, index: int, target: Path) -> Path:
        """Fetches an attachment and writes it to `target`, as `Files.fetch` does. ExportOff if the policy lets no file
        be saved; its other errors are those of `Files.fetch`."""
        self.check_export()
        return await self.files.fetch(room, message, index, target)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _channel(self, room: RoomId) -> ObjId:
        obj = self.channel(room)
        if obj is None:
            raise NotFound
        return obj

    def _message(self, room: RoomId, target: ChangeId) -> Message:
        timeline = self.timeline(room)
        index = timeline.index_of(target)
        if index is None:
            raise NotFound
        return timeline.message(index)

    def _append(self, room: RoomId, message: Message, record: Record) -> None:
        """Writes what is about a message, where it lies."""
        self._changes.append(room, message.obj, encode(record))

    def _on_changes(self, changes: Sequence[StoredChange]) -> None:
        by_obj: dict[ObjId, list[StoredChange]] = {}
        for change in changes:
            by_obj.setdefault(change.obj, []).append(change)
        for obj, of_obj in by_obj.items():
            room = of_obj[0].room
            if obj == ObjId(room):
                self.refresh(room)
            part_of = series.series_of(self._db, obj)
            if part_of is None:
                continue
            timeline = self._timelines.get(part_of)
            ids = {c.change_id for c in of_obj} | {second_id(c.author, c.change_id) for c in of_obj}
            touched = projection.touched_by(of_obj)
            if timeline is not None:
                timeline.refresh(touched.union(carried_among(self._db, part_of, ids)))
            self._refresh_successors(room, touched | ids)
            for author in {change.author for change in of_obj if not change.own}:
                self.typing.stop(room, author)
            self.changed.emit(room)

    def _on_room(self, room: RoomId) -> None:
        """Something may have happened in the room."""
        channel = self.channel(room) if self._timelines else None
        timeline = self._timelines.get(channel) if channel is not None else None
        if timeline is not None:
            timeline.refresh_lines()

    def _on_drafts(self, places: Collection[str]) -> None:
        for room in self._drafts.follow_all(places):
            self.draft_changed.emit(room)

    def refresh(self, room: RoomId) -> None:
        """Reads the room's conversation again, if it is open. Call it when an object may have become part of it, may be
        no part any more, or may have lost messages."""
        channel = self.channel(room)
        timeline = self._timelines.get(channel) if channel is not None else None
        if timeline is not None:
            timeline.refresh()
            self.changed.emit(room)

    def _refresh_successors(self, room: RoomId, ids: Collection[ChangeId], hops: int = MAX_HOPS) -> None:
        """Refreshes open conversations of rooms that continue this one, and of rooms that continue those, at most
        `hops` rooms far. A message that was carried over into them may be shown under another author now that its
        original, one of `ids`, has changed here."""
        if not (self._timelines and ids and hops):
            return
        for successor, _, obj in successors(self._db, room):
            carried = carried_among(self._db, obj, ids)
            timeline = self._timelines.get(obj) if carried else None
            if timeline is not None:
                timeline.refresh(carried)
                self.changed.emit(successor)
            self._refresh_successors(successor, carried, hops - 1)
