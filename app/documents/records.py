# SPDX-License-Identifier: EUPL-1.2
"""The bytes of a document's ephemeral messages. Its changes are those of every kind that merges
(app/objects/pieces.py)."""

import msgspec

from app.objects.object import Payload


class Caret(msgspec.Struct, frozen=True, kw_only=True, tag="doc-caret"):
    """The ephemeral message with a person's selection in a document, as `Selections.encode` gives it; None when
    they have closed the document."""

    obj: bytes
    selection: bytes | None = None


CARET: Payload[Caret] = Payload(Caret)
