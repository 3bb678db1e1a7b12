# SPDX-License-Identifier: EUPL-1.2
"""The bytes of a document's ephemeral messages. Its changes are those of every kind that merges
(app/objects/pieces.py)."""

import msgspec

from app.objects.object import Payload


class Caret(msgspec.Struct, frozen=True, kw_only=True, tag="doc-caret"):
    """Ephemeral: a person's selection (`Document.encode_selection`); None when they left the document."""

    obj: bytes
    selection: bytes | None = None


CARET: Payload[Caret] = Payload(Caret)
