# SPDX-License-Identifier: EUPL-1.2
"""Pairs this device with another device of the same person, which has the account and hands it over."""

import asyncio
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
    """The person of the account, as the device that has it names them; verified once this device has the account.
    `digits`: to be compared on both devices, "" if a code was used. `device`: the name that this device is to have."""

    name: str
    title: str
    unit: str
    server: str
    device: str
    digits: str


class DevicePairing:
    """Lets this new device into an account by another device of the same person. Call `begin_pairing`, then `join` or
    `stop_pairing`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._guest: Guest | None = None
        self._key: bytes | None = None
        """The store's key, once the account is in the store, until it is open."""
        place.cleared.connect(self._forget)

    async def begin_pairing(self, server: str, name: str, *, code: str = "", number: str = "") -> PairingPeer:
        """Connects to the device that has the account, through the server at the address `server`, by the `code` or the
        `number` that the other device shows: one of them is given, the other is "". `name` is the name that this device
        is to have. Ends an earlier pairing.

        Raises BadAddress, ServerNotAllowed, BadCaFile; Reject "code" for a mistyped code, "enrol" for a wrong one or
        for an attacker in between; Refused "code-unknown", "code-used", "busy" (too many try numbers), "pairing" (the
        other device has left, or the time is over); other SyncErrors such as Unreachable.
        """
        await self.stop_pairing()
        self._guest = guest = Guest(
            dialer=self._place.dialer(server), name=name, system=machine.system(), now_ms=clock.now_ms
        )
        old = await guest.join(code=code, number=number)
        return _peer_of(old, server=server, device=name, digits=guest.digits)

    async def stop_pairing(self) -> None:
        """Ends the pairing, if one is under way."""
        guest, self._guest = self._guest, None
        if guest is not None:
            await guest.close()

    async def join(self, chosen: PairingPeer, passphrase: str | None, progress: Progress) -> Session:
        """Makes the store, waits until the other device agrees, and opens the account here. `chosen`: what
        `begin_pairing` returned. `passphrase`: what unlocks the store; None for the computer's key store. `progress` is
        called at each step with (what is being done, for the screen; steps done; steps in all).

        Raises Refused "pairing" if the other device says no or does not answer, Reject "enrol" or "record" for a false
        answer, and other SyncErrors such as Unreachable; WeakPassphrase, SlotForbidden, NoKeyring, KeyringLocked,
        StoreFault. Nothing is left behind then. BugError before `begin_pairing`, or if the profile has a finished
        account. If only the connection was lost after the other device agreed, `join` may be called again. If the
        account is in the store and only a later step failed, it stays, and `join` again opens it; `passphrase` then
        unlocks it.
        """
        if self._key is None:
            self._key = await self._fetch(chosen, passphrase, progress)
        else:
            await asyncio.to_thread(self._place.slots.only, self._key, passphrase)
        key = self._key
        self._place.confirm()
        progress(tr("Finished"), 3, 3)
        session = await self._place.open(StoreKeys((key,)))
        self._forget()
        return session

    async def _fetch(self, chosen: PairingPeer, passphrase: str | None, progress: Progress) -> bytes:
        """Makes the store, and waits until the account is in it. Returns the store's key. Raises what `join` raises;
        nothing is left behind then."""
        guest = self._guest
        if guest is None:
            raise BugError("begin_pairing was not called")
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
            self._place.clear_after_error()
            raise
        self._guest = None
        return key

    def _forget(self) -> None:
        self._key = None


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
