# SPDX-License-Identifier: EUPL-1.2
"""Selections in a document's text, as the bytes in which colleagues receive them."""

from collections.abc import Iterable

from app.objects.crdt import CrdtText
from app.objects.sticky import client_in
from app.richtext.mirror import Mirror


class Selections:
    """Encodes selections in `text`, of which `mirror` knows the positions, and finds them again. `client` is the number
    under which this person writes there; nothing was sent under it yet."""

    def __init__(self, text: CrdtText, mirror: Mirror, client: int) -> None:
        self._text, self._mirror = text, mirror
        self._encoded = bytes(2)
        self._hidden = {client}

    def encode(self, anchor_utf16: int, caret_utf16: int) -> bytes:
        """The person's selection, from `anchor_utf16` to `caret_utf16`, as bytes that still point at the same words
        when others have written in between; colleagues receive them.

        ▲ The bytes name no client number under which this person has only unsent changes; where they would, the last
        selection that named none is returned. Otherwise a colleague could read the number in the selection and write
        under it first, and everything that this person wrote under it would count for nobody.
        """
        anchor, caret = (self._text.sticky(self._mirror.to_utf8(pos)) for pos in (anchor_utf16, caret_utf16))
        if self._hidden.isdisjoint((client_in(anchor), client_in(caret))):
            self._encoded = len(anchor).to_bytes(2, "big") + anchor + caret
        return self._encoded

    def hide(self, clients: Iterable[int]) -> None:
        """Notes client numbers of the CRDT under which this person has written, but nothing has a position in the room
        yet, so that selections must not name them."""
        self._hidden.update(clients)

    def placed(self, client: int) -> bool:
        """Notes that the server has placed something that was written under this client number: selections may name the
        number from now on. Returns whether this is new."""
        was_hidden = client in self._hidden
        self._hidden.discard(client)
        return was_hidden

    def resolve(self, selection: bytes) -> tuple[int, int] | None:
        """Where a colleague's selection is now, as (anchor, caret); None if the bytes are invalid here (yet)."""
        size = int.from_bytes(selection[:2], "big")
        anchor, caret = self._text.resolve(selection[2 : 2 + size]), self._text.resolve(selection[2 + size :])
        if anchor is None or caret is None:
            return None
        return self._mirror.to_utf16(anchor), self._mirror.to_utf16(caret)
