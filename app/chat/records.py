# SPDX-License-Identifier: EUPL-1.2
"""What a chat consists of on disk and on the wire: immutable records, never changed, only referred to.

An edit, a deletion or a reaction names the message's change id. Whether its author has the right is judged by the
projection, never by the sending program.
"""

from collections.abc import Callable

import msgspec

from app.chat.errors import MessageTooLong
from app.chat.previews import is_preview
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.filenames import shown_name
from app.objects.object import Payload

MAX_TEXT = 20_000
MAX_ATTACHMENTS = 20
MAX_EMOJI = 16
MAX_CARRIED_REACTIONS = 256
MAX_T = 2**53
"""Largest time of a carried message, in ms; PROTOCOL.md §4, "Carried over"."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An encrypted file in a message. `manifest` describes its encrypted parts, opaque here. `width` and `height` in
    pixels for images, otherwise 0. `preview` is a small JPEG of an image (b"" if there is none), so that it shows
    at once and nothing unencrypted touches the disk. The file itself travels unchanged."""

    name: str
    size_bytes: int
    media_type: str
    manifest: bytes
    width: int = 0
    height: int = 0
    preview: bytes = b""

    @property
    def is_image(self) -> bool:
        """Whether it is shown in place."""
        return bool(self.preview) and self.width > 0 and self.height > 0


class Mention(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A person who is named in a message's text: the `length` code points from `start` on are "@Namn"."""

    uid: bytes
    start: int
    length: int


class MessageSent(msgspec.Struct, frozen=True, kw_only=True, tag="sent", omit_defaults=True):
    """The record of a new message. `reply_to` is the id of the message that it answers, None if it answers none;
    `reply_obj` is that message's object if it lies in another month's."""

    text: str
    reply_to: bytes | None = None
    reply_obj: bytes | None = None
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class MessageEdited(msgspec.Struct, frozen=True, kw_only=True, tag="edited", omit_defaults=True):
    """The record that gives the author's own message `target` a new text."""

    target: bytes
    text: str
    mentions: tuple[Mention, ...] = ()


class MessageDeleted(msgspec.Struct, frozen=True, kw_only=True, tag="deleted"):
    """The record that removes the text and files of the message `target`; a trace of it stays. It counts if it is from
    the author, an administrator, or the person who carried the message over from an old room."""

    target: bytes


class ReactionSet(msgspec.Struct, frozen=True, kw_only=True, tag="reaction"):
    """The record that sets (`on` True) or takes back its author's reaction with `emoji` on the message `target`. The
    latest one counts."""

    target: bytes
    emoji: str
    on: bool


class CarriedPart(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An edit of a carried message, or a reaction to it, from the old room: its author, its id, its time (ms) and its
    own bytes there."""

    author: bytes
    change_id: bytes
    t: int
    data: bytes


class Carried(msgspec.Struct, frozen=True, kw_only=True, tag="carried", omit_defaults=True):
    """The record by which the founder of a new room carries over a message of the room that it continues. `author`,
    `change_id` and `t` (ms) are the message's own there, `data` its own bytes.

    Where the message was edited, `data` is the message without its words, and `edit` the last edit. Where it was
    deleted, `data` is an empty message, and `deleted_by` is the person who deleted it. `reactions`: those that were
    set.

    ▲ It counts only from the founder, and claims only what the founder claims: app/chat/originals.py compares it with
    this device's own copy of the old room before another person is shown as its author.
    """

    author: bytes
    change_id: bytes
    t: int
    data: bytes
    edit: CarriedPart | None = None
    reactions: tuple[CarriedPart, ...] = ()
    deleted_by: bytes | None = None


Note = MessageEdited | MessageDeleted | ReactionSet
Plain = MessageSent | Note
Record = Plain | Carried

_PAYLOAD: Payload[Record] = Payload(Record)


def encode(record: Record) -> bytes:
    """Encodes a record as a change's data. MessageTooLong if the text is longer than MAX_TEXT; other limits are checked
    only when the data is decoded."""
    if isinstance(record, MessageSent | MessageEdited) and len(record.text) > MAX_TEXT:
        raise MessageTooLong
    return _PAYLOAD.encode(record)


def decode(data: bytes) -> Record:
    """Decodes a change's data into a record that is safe to show. BadChange if it is no valid record or breaks a limit.
    A message that is carried over is checked only when it is taken out of its record (`message_in`).

    ▲ Names of files and reactions are cleaned here, and a preview that this program would not make is left out. So no
    view receives what a colleague's program could put there.
    """
    record = _PAYLOAD.decode(data)
    if isinstance(record, MessageSent) and len(record.attachments) > MAX_ATTACHMENTS:
        raise BadChange("oversize")
    if isinstance(record, MessageSent | MessageEdited) and len(record.text) > MAX_TEXT:
        raise BadChange("oversize")
    if isinstance(record, ReactionSet) and not 0 < len(record.emoji) <= MAX_EMOJI:
        raise BadChange("oversize")
    if isinstance(record, MessageSent) and record.attachments:
        return msgspec.structs.replace(record, attachments=tuple(_shown(file) for file in record.attachments))
    if isinstance(record, ReactionSet):
        return _shown_reaction(record)
    return record


def message_in(carried: Carried) -> MessageSent:
    """The message in a record that carries one over, without its edit. BadChange if a part of the record is malformed,
    is about another message, or gives a text that was deleted or edited away, or if there are too many reactions."""
    if len(carried.reactions) > MAX_CARRIED_REACTIONS:
        raise BadChange("oversize")
    sent = decode(carried.data)
    ids = [carried.author, carried.change_id, *([carried.deleted_by] if carried.deleted_by is not None else [])]
    if not isinstance(sent, MessageSent) or any(len(one) != 16 for one in ids) or not 0 <= carried.t <= MAX_T:
        raise BadChange("malformed")
    if carried.deleted_by is not None and (sent != MessageSent(text="") or carried.edit or carried.reactions):
        raise BadChange("malformed")
    if carried.edit is not None and (sent.text or sent.mentions or carried.edit.author != carried.author):
        raise BadChange("malformed")
    edit_in(carried)
    for part in carried.reactions:
        reaction_in(carried, part)
    return sent


def edit_in(carried: Carried) -> MessageEdited | None:
    """The edit in a record that carries a message over; None if the message was not edited. BadChange if the edit is
    malformed or is about another message."""
    if carried.edit is None:
        return None
    record = _part(carried, carried.edit)
    if not isinstance(record, MessageEdited):
        raise BadChange("malformed")
    return record


def text_in(carried: Carried) -> MessageSent:
    """The message in a record that carries one over, with its edit applied. BadChange if the record is malformed."""
    sent, edit = message_in(carried), edit_in(carried)
    return sent if edit is None else msgspec.structs.replace(sent, text=edit.text, mentions=edit.mentions)


def reaction_in(carried: Carried, part: CarriedPart) -> ReactionSet:
    """The reaction in `part`, which belongs to a record that carries a message over. BadChange if it is malformed,
    is about another message, or takes a reaction back."""
    record = _part(carried, part)
    if not isinstance(record, ReactionSet) or not record.on:
        raise BadChange("malformed")
    return record


def _part(carried: Carried, part: CarriedPart) -> MessageEdited | ReactionSet:
    record = decode(part.data)
    if len(part.author) != 16 or len(part.change_id) != 16:
        raise BadChange("malformed")
    if not isinstance(record, MessageEdited | ReactionSet) or record.target != carried.change_id:
        raise BadChange("malformed")
    return record


def without_words(data: bytes) -> bytes:
    """A message's bytes without its text and mentions: the form in which an edited message is carried. BadChange."""
    return _changed(data, lambda sent: msgspec.structs.replace(sent, text="", mentions=()))


def without_previews(data: bytes) -> bytes:
    """A message's bytes without the previews of its pictures. A message is carried over in this form if its record
    would otherwise be too large. BadChange if the bytes are no message."""

    def bare(sent: MessageSent) -> MessageSent:
        files = tuple(msgspec.structs.replace(file, preview=b"") for file in sent.attachments)
        return msgspec.structs.replace(sent, attachments=files)

    return _changed(data, bare)


def _changed(data: bytes, change: Callable[[MessageSent], MessageSent]) -> bytes:
    record = _PAYLOAD.decode(data)
    if not isinstance(record, MessageSent):
        raise BadChange("malformed")
    return encode(change(record))


def _shown(file: Attachment) -> Attachment:
    preview = file.preview if is_preview(file.preview) else b""
    return msgspec.structs.replace(file, name=shown_name(file.name), preview=preview)


def _shown_reaction(record: ReactionSet) -> ReactionSet:
    emoji = one_line(record.emoji, MAX_EMOJI)
    if not emoji:
        raise BadChange("malformed")
    return msgspec.structs.replace(record, emoji=emoji)
