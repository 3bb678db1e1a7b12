# SPDX-License-Identifier: EUPL-1.2
"""The only way from one tool to another: a link that the shell opens."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from app.core.ids import ObjId, RoomId, Uid
from app.core.link_fields import SCHEME
from app.store.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLink:
    """A link to an object in a room; `kind` is the object's kind ("chat"). `ref` names a place in the object (a
    message, a card), in the tool's own form; b"" for the whole object. `words`: the words that a search found there, to
    be marked. They are not in the link's text."""

    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes = b""
    words: tuple[str, ...] = ()

    def to_markup(self, title: str) -> str:
        """The link in the form that chat and documents read: `[title](kansli://…)`, to be pasted there. `title`: the
        words to show, on one line; square brackets in it become round ones."""
        label = " ".join(title.split()).replace("[", "(").replace("]", ")")
        return f"[{label}]({self.to_text()})"

    def to_text(self) -> str:
        """The text of a copied link: `kansli://<room hex>/<object hex>?kind=chat&ref=…`. It has nothing of the object's
        content or title."""
        query = {"kind": self.kind} | ({"ref": self.ref.hex()} if self.ref else {})
        return f"{SCHEME}://{self.room.hex()}/{self.obj.hex()}?{urlencode(query)}"

    @classmethod
    def parse(cls, text: str) -> "ObjectLink | None":
        """The link whose text is `text`, as `to_text` writes it; white space around it is ignored. Its `words` are ():
        the words that a search found are not in the text. None if `text` is anything else, such as a link with its
        title (`to_markup`), or is damaged."""
        try:
            parts = urlsplit(text.strip())
            query = parse_qs(parts.query)
            room, obj = bytes.fromhex(parts.netloc), bytes.fromhex(parts.path.strip("/"))
            ref = bytes.fromhex(query.get("ref", [""])[0])
        except ValueError:
            return None
        kind = query.get("kind", [""])[0]
        if parts.scheme != SCHEME or len(room) != 16 or len(obj) != 16 or not kind.isidentifier() or len(ref) > 64:
            return None
        return cls(room=RoomId(room), obj=ObjId(obj), kind=kind, ref=ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a link shows of the thing that it leads to: its present title, when it was changed last (`updated`, ms; 0:
    unknown), and the person who changed it last (`by`; None: unknown). A tool whose things have a state of their own
    returns a subclass, which its part in ui/ shows."""

    title: str
    by: Uid | None = None
    updated: int = 0


def linked_object(objects: Objects, link: ObjectLink) -> Linked | None:
    """What to show of the object that a link leads to: title and time of change. None if the link's room has no such
    object of the link's kind, or if the object is in the trash. The store does not know the person who changed it last:
    a tool that does adds them (`by`)."""
    found = objects.get(link.obj)
    if found is None or found.deleted or found.room != link.room or found.kind != link.kind:
        return None
    return Linked(title=found.title, updated=found.updated)
