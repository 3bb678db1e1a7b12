# SPDX-License-Identifier: EUPL-1.2
"""Another device of the same person: the meeting with the one that has the account, and what it hands over."""

from dataclasses import dataclass

from app.arrival.place import Place, Progress, keep_account
from app.core import clock, machine
from app.core.i18n import tr
from app.errors import BugError
from app.people.person import shown
from app.personal.service import DEVICE_NAME
from app.session import Session
from app.settings import SERVER
from app.store.keyslots import StoreKeys
from app.store.store import Store
from sync.client.devices.device_pairing import Guest, Joined
from sync.trust.person.agency import decode_record
from sync.trust.person.pairing_messages import OldDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingPeer:
    """The account's person, by the other device's word (verified when this one is in); `digits` to compare, "" by code;
    `device` is what this one is to be called."""

    name: str
    title: str
    unit: str
    server: str
    device: str
    digits: str


class DevicePairing:
    """`begin_pairing`, then `join` or `stop_pairing`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._guest: Guest | None = None

    async def begin_pairing(self, server: str, name: str, *, code: str = "", number: str = "") -> PairingPeer:
        """Goes to the device that has the account, by its code or its number; `name` is what this one is to be called.

        BadAddress; Reject "code" for a mistyped code and "enrol" for a wrong one, or for somebody in between;
        Refused "code-unknown", "code-used", "pairing"; the world's errors of sync.
        """
        await self.stop_pairing()
        self._guest = guest = Guest(
            dialer=self._place.dialer(server), name=name, system=machine.system(), now_ms=clock.now_ms
        )
        old = await guest.join(code=code, number=number)
        return _peer_of(old, server=server, device=name, digits=guest.digits)

    async def stop_pairing(self) -> None:
        """Ends the meeting, if any."""
        guest, self._guest = self._guest, None
        if guest is not None:
            await guest.close()

    async def join(self, chosen: PairingPeer, passphrase: str | None, progress: Progress) -> Session:
        """Makes the store, waits for the other device's yes, and opens the account here. `passphrase` None keeps the
        key in the computer's key store.

        As `Guest.finish`, after which nothing stays behind. If only the line was lost after the yes, again: `join`.
        """
        guest = self._guest
        if guest is None:
            raise BugError("nobody was met")
        self._place.check_free()

        async def fill(store: Store, _key: bytes) -> None:
            progress(tr("Waiting for the answer on your other device"), 1, 3)

            def keep(joined: Joined) -> None:
                self._place.settings.set(SERVER, chosen.server)
                with store.transaction():
                    keep_account(store, joined)
                    store.notes.set(DEVICE_NAME, chosen.device)

            await guest.finish(keep)

        progress(tr("Making the encrypted store"), 0, 3)
        try:
            key = await self._place.make(passphrase, fill)
        except BaseException:
            self._place.clear()
            raise
        self._guest = None
        self._place.confirm()
        progress(tr("Finished"), 3, 3)
        return self._place.open(StoreKeys((key,)))


def _peer_of(old: OldDevice, *, server: str, device: str, digits: str) -> PairingPeer:
    record = decode_record(old.record)
    return PairingPeer(
        name=shown(record, "name"),
        title=shown(record, "title"),
        unit=shown(record, "unit"),
        server=server,
        device=device,
        digits=digits,
    )
