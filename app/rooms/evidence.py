# SPDX-License-Identifier: EUPL-1.2
"""The evidence that is kept against a server that was false in a room, read from the store for the person and for
people to whom they show it. The bytes are as they were signed: everybody with the agency's public key can check them
without this program."""

from dataclasses import dataclass

from app.core.ids import RoomId
from app.store.rows import Evidence
from app.store.store import Store
from sync.errors import Reject
from sync.trust.room.signed_receipts import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A statement that the server signed: the room's log ended at position `n`, with the running hash `rh`, at `t`
    (server time, ms). `proof`: the signed receipt and the certificate of its key."""

    n: int
    rh: bytes
    t: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One piece of evidence that the server was false in a room, kept at `t` (ms). `code`: "fork" (it showed two
    histories), "rollback" (it lost what it had confirmed) or "restored" (it says that it was restored from a backup) if
    the room stopped, "time" if the server signed a time far ahead of the clocks. Each of the other fields may be None.
    `ours`: what the server had signed for this device; `theirs`: what it signed then; `claim`: what a member signed who
    had seen a different history, or for "restored" the server's statement."""

    code: str
    t: int
    ours: Word | None
    theirs: Word | None
    claim: bytes | None


def exhibits(store: Store, room: RoomId) -> tuple[Exhibit, ...]:
    """The evidence that is kept in a room, oldest first."""
    return tuple(_exhibit(kept) for kept in store.receipts_kept.evidence(room))


def _exhibit(kept: Evidence) -> Exhibit:
    return Exhibit(code=kept.code, t=kept.t, ours=_word(kept.ours), theirs=_word(kept.theirs), claim=kept.claim)


def _word(proof: bytes | None) -> Word | None:
    if proof is None:
        return None
    try:
        receipt = Proof.decode(proof).receipt
    except Reject:  # written by a later version: it stays in the store, and can be copied from there
        return None
    return Word(n=receipt.n, rh=receipt.rh, t=receipt.t, proof=proof)
