# SPDX-License-Identifier: EUPL-1.2
"""What is kept against a server that was false in a room, read out of the store for a person and for those they show it
to. The bytes are as they were signed: whoever has the agency's public key can check them without this program.
"""

from dataclasses import dataclass

from app.core.ids import RoomId
from app.store.rows import Evidence
from app.store.store import Store
from sync.errors import Reject
from sync.trust.room.signed_receipts import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """The server's signed word that the room stood at position `n` with the running hash `rh` at `t` (its time, ms).
    `proof` is the receipt and the certificate of its key."""

    n: int
    rh: bytes
    t: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """What was kept at `t` (ms): `code` "fork", "rollback" or "restored" when the room stopped, "time" when the server
    signed a time far ahead of the clocks; what it had signed for us, what it signed then, and what a member signed who
    had seen another history, or for "restored" the server's statement; each or None."""

    code: str
    t: int
    ours: Word | None
    theirs: Word | None
    claim: bytes | None


def exhibits(store: Store, room: RoomId) -> tuple[Exhibit, ...]:
    """What is kept in a room, oldest first."""
    return tuple(_exhibit(kept) for kept in store.receipts_kept.evidence(room))


def _exhibit(kept: Evidence) -> Exhibit:
    return Exhibit(code=kept.code, t=kept.t, ours=_word(kept.ours), theirs=_word(kept.theirs), claim=kept.claim)


def _word(proof: bytes | None) -> Word | None:
    if proof is None:
        return None
    try:
        receipt = Proof.decode(proof).receipt
    except Reject:  # of a later version: still there, still to be copied from the store
        return None
    return Word(n=receipt.n, rh=receipt.rh, t=receipt.t, proof=proof)
