# SPDX-License-Identifier: EUPL-1.2
"""What a chat is made of on disk and on the wire: immutable records, never changed, only referred to.

An edit, a deletion or a reaction names the message's
change id; whether its author may do so is judged by the projection, never by who sent it.
"""

import msgspec

from app.chat.errors import MessageTooLong
from app.chat.filenames import shown_name
from app.chat.previews import is_preview
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload

MAX_TEXT = 20_000
MAX_ATTACHMENTS = 20
MAX_EMOJI = 16


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sealed file. `manifest` is the blob's, opaque here; `width` and `height` in pixels for images, else 0.

    `preview` is a small JPEG of an image, so that it shows at once and nothing unsealed touches the disk. The file
    itself travels unchanged.
    """

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
    """A person named in a text: code points `start` to `start + length` hold "@Namn"."""

    uid: bytes
    start: int
    length: int


class MessageSent(msgspec.Struct, frozen=True, kw_only=True, tag="sent", omit_defaults=True):
    """A message. `reply_to` is the change id of the message it answers."""

    text: str
    reply_to: bytes | None = None
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class MessageEdited(msgspec.Struct, frozen=True, kw_only=True, tag="edited", omit_defaults=True):
    """A new text for one's own message."""

    target: bytes
    text: str
    mentions: tuple[Mention, ...] = ()


class MessageDeleted(msgspec.Struct, frozen=True, kw_only=True, tag="deleted"):
    """The text and files go, a trace stays. By the author or by an administrator."""

    target: bytes


class ReactionSet(msgspec.Struct, frozen=True, kw_only=True, tag="reaction"):
    """`emoji` by this author on a message: there or not there. The latest counts."""

    target: bytes
    emoji: str
    on: bool


class Carried(msgspec.Struct, frozen=True, kw_only=True, tag="carried", omit_defaults=True):
    """A record of somebody's as the founder of a successor found it in the room that stopped: `author`, `change_id` and
    `t` (ms) are of then, `data` the record's own bytes. Counts only from the founder, who vouches for it. A message
    whose text is gone has none here either: `deleted_by` took it away.
    """

    author: bytes
    change_id: bytes
    t: int
    data: bytes
    deleted_by: bytes | None = None


Plain = MessageSent | MessageEdited | MessageDeleted | ReactionSet
Record = Plain | Carried

_PAYLOAD: Payload[Record] = Payload(Record)


def encode(record: Record) -> bytes:
    """The record as a change's data. MessageTooLong above the limit."""
    if isinstance(record, MessageSent | MessageEdited) and len(record.text) > MAX_TEXT:
        raise MessageTooLong
    return _PAYLOAD.encode(record)


def decode(data: bytes) -> Record:
    """The record as it may be shown; BadChange if it is none of ours or breaks a limit.

    ▲ Names of files and reactions are cleaned here, and a preview that is not what this program makes is left out, so
    that no view gets what a colleague's program could put there.
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


def _shown(file: Attachment) -> Attachment:
    preview = file.preview if is_preview(file.preview) else b""
    return msgspec.structs.replace(file, name=shown_name(file.name), preview=preview)


def _shown_reaction(record: ReactionSet) -> ReactionSet:
    emoji = one_line(record.emoji, MAX_EMOJI)
    if not emoji:
        raise BadChange("malformed")
    return msgspec.structs.replace(record, emoji=emoji)
