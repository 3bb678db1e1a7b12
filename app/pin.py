# SPDX-License-Identifier: EUPL-1.2
"""The PIN of this account on this computer: it is stored as a verifier inside the encrypted store, and lifts the
curtain.

▲ A PIN is no key slot. Otherwise an attacker with a copied file could guess six digits in days. An attacker who can
read the verifier has the store's key already.
"""

import asyncio
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from app.core import log
from app.core.clock import awake_s
from app.errors import PinSpent, PinWaits, WeakPin, WrongPin
from app.pins import PinRules
from app.store.notes import Notes
from sync.crypto.passphrase import Argon2Params, derive
from sync.errors import Reject

MOST_FAILURES = 10
"""After this many wrong PINs under one curtain the store closes."""
WAITS_S = (0, 0, 5, 10, 30, 60, 120, 300, 600)
"""Seconds until the next try: after the first wrong PIN, after the second, and so on, by `awake_s`."""
_NOTE = "pin"
_VERSION = 1
_LAYOUT = struct.Struct(">B16sIII32sB")


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a PIN is compared with: its Argon2id derivation, with salt and cost, and how many digits it has."""

    params: Argon2Params
    derived: bytes = field(repr=False)
    length: int = 0

    @classmethod
    def make(cls, pin: str) -> "Verifier":
        """The verifier of a PIN, with a new salt. Takes 0.3 s: call it in a thread."""
        params = Argon2Params.fresh()
        return cls(params, derive(pin, params), len(pin))

    def fits(self, pin: str) -> bool:
        """Whether `pin` is the PIN; also False if the stored cost is outside its bounds. Takes 0.3 s: call it in a
        thread."""
        try:
            return hmac.compare_digest(derive(pin, self.params), self.derived)
        except Reject:
            return False

    def to_text(self) -> str:
        """As hexadecimal text, for the store (app/store/FORMAT.md)."""
        p = self.params
        return _LAYOUT.pack(_VERSION, p.salt, p.memory_kib, p.passes, p.lanes, self.derived, self.length).hex()

    @classmethod
    def parse(cls, text: str) -> "Verifier | None":
        """Reads what `to_text` returned; None if it is damaged or of another version. The cost is not checked here."""
        try:
            version, salt, memory, passes, lanes, derived, length = _LAYOUT.unpack(bytes.fromhex(text))
        except (ValueError, struct.error):
            return None
        if version != _VERSION:
            return None
        return cls(Argon2Params(salt=salt, memory_kib=memory, passes=passes, lanes=lanes), derived, length)


class PinState(Enum):
    """Whether there is a PIN: none, one that can be used, or one that cannot be (damaged, or policy asks for more)."""

    NONE = "none"
    SET = "set"
    UNUSABLE = "unusable"


class Pin:
    """The PIN in one account's store. Call it on the event loop: reading takes one row of the database, and `set` runs
    Argon2id in a thread."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def verifier(self, rules: PinRules) -> Verifier | None:
        """What a typed PIN is compared with. None if no PIN can be used: none is chosen, the rules forbid PINs or want
        a longer one, or what is stored is damaged (which is logged). The curtain is then lifted by the other methods
        alone."""
        text = self._notes.get(_NOTE)
        found = Verifier.parse(text) if text else None
        if text and found is None:
            log.store.warning("pin-damaged")
        usable = found is not None and rules.allowed and found.length >= rules.length
        return found if usable else None

    def state(self, rules: PinRules) -> PinState:
        """Whether there is a PIN that can be used."""
        if not self._notes.get(_NOTE):
            return PinState.NONE
        return PinState.SET if self.verifier(rules) is not None else PinState.UNUSABLE

    async def set(self, pin: str, rules: PinRules) -> None:
        """Makes `pin` the PIN, in place of any former one. Raises WeakPin if the rules do not allow it, StoreFault."""
        if not rules.allowed or rules.fault(pin) is not None:
            raise WeakPin
        made = await asyncio.to_thread(Verifier.make, pin)
        self._notes.set(_NOTE, made.to_text())
        log.store.info("pin-set")

    def remove(self) -> None:
        """Removes the PIN. A second call does nothing. StoreFault."""
        self._notes.set(_NOTE, "")
        log.store.info("pin-removed")


class PinTries:
    """The tries to lift one curtain by the PIN: it counts failures, makes the person wait between them, and ends after
    MOST_FAILURES. ▲ Times are those of a clock that nobody can set. Nothing is stored: a process that was killed under
    a curtain is opened by the passphrase (Unlocking.note_covered)."""

    def __init__(self, verifier: Verifier, clock: Callable[[], float] = awake_s) -> None:
        self._verifier, self._clock = verifier, clock
        self.failures = 0
        self._until = 0.0

    def wait_s(self) -> float:
        """Seconds until the next try is possible; 0 for now."""
        return max(0.0, self._until - self._clock())

    @property
    def left(self) -> int:
        """How many wrong PINs are left until the store closes."""
        return MOST_FAILURES - self.failures

    async def check(self, pin: str) -> None:
        """Returns if it is the PIN. Raises PinWaits while the person has to wait, WrongPin, and PinSpent at the last
        failure and from then on. ▲ Counts the try before it compares: a call that is cancelled, or that another one
        overtakes, is a failure."""
        if not self.left:
            raise PinSpent
        if self.wait_s():
            raise PinWaits
        self.failures += 1
        wait_s = WAITS_S[self.failures - 1] if self.left else 0
        self._until = self._clock() + wait_s
        if await asyncio.to_thread(self._verifier.fits, pin):
            self.failures, self._until = 0, 0.0
            return
        log.store.warning("unlock", code=WrongPin.code, failures=self.failures)
        if not self.left:
            raise PinSpent
        self._until = max(self._until, self._clock() + wait_s)
        raise WrongPin
