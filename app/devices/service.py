# SPDX-License-Identifier: EUPL-1.2
"""A person's own devices, as the settings show them: listed, renamed, revoked with its progress, and let in."""

import asyncio
import contextlib
from dataclasses import dataclass

from app.core import clock, log
from app.core.ids import DevId
from app.core.signal import Signal
from app.devices.inviting import Invitation, Misses, Newcomer
from app.errors import NotFound
from app.people.service import PeopleService
from app.personal.service import Personal
from app.store.store import Store
from sync.client.devices.own_devices import OwnDevice
from sync.client.engine import Engine
from sync.errors import SyncError
from sync.trust.person.agency import encode_record

LOOK_S = 2.0
"""How often the number of rooms that know a revocation is read, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """One of the person's own devices, as a list shows it. Times are in ms, None for unknown: `last_seen` is when the
    server saw it, `alive` when it last wrote in the personal room. `mine`: it is this device. `revocable`: this device
    may revoke it, since it is in use and was added later than this one. `by`: the name of the device that added it. A
    name, `system` or `version` is "" if it is not known."""

    dev: DevId
    name: str
    system: str
    version: str
    added: int
    last_seen: int | None
    alive: int | None
    mine: bool
    revoked: bool
    revocable: bool
    by: str

    @property
    def seen(self) -> int | None:
        """When the device was last seen, in ms: the later of `last_seen` and `alive`, of which either may be missing.
        Of this device only `alive` counts, since the server sees it now. None for unknown."""
        return max(self.alive or 0, 0 if self.mine else self.last_seen or 0) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationProgress:
    """How far a revocation has come: `rooms` of this person's `all` rooms state it in their logs. In these nothing more
    is written under a key that the revoked device has: the next writer makes a new one."""

    rooms: int
    all: int


class DeviceService:
    """A person's own devices: lists, renames and revokes them, and lets new ones in. Actions that need the server are
    coroutines and raise SyncErrors, such as Unreachable."""

    def __init__(self, store: Store, engine: Engine, people: PeopleService, personal: Personal) -> None:
        self.changed: Signal[()] = Signal()
        """The list, or the progress of a revocation, has changed."""
        self._store = store
        self._engine = engine
        self._people = people
        self._personal = personal
        self.asked = True
        """Whether the server answered when it was last asked."""
        self._wanted = asyncio.Event()
        self._left = (0, 0)
        self._seq = engine.devices.own_log.seq
        self._misses = Misses(store.notes)
        self._ends = [personal.changed.connect(self.changed.emit)]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    def see(self) -> None:
        """Checks whether the person's log has grown, so that a device was added or revoked; then emits `changed`."""
        seq = self._engine.devices.own_log.seq
        if seq != self._seq:
            self._seq = seq
            self.changed.emit()

    # -- the list -------------------------------------------------------------------------------------------------

    def all(self) -> list[DeviceInfo]:
        """Every device of the person: this one first, then the others in use, then the revoked ones; both with the
        longest in the account first."""
        own = self._engine.devices.all()
        shared, alive = self._personal.shared, self._personal.alive()
        order = [d.dev for d in own]
        me = order.index(self._engine.devices.mine) if self._engine.devices.mine in order else len(order)
        rows = [
            DeviceInfo(
                dev=d.dev,
                name=shared.names.get(d.dev, ""),
                system=shared.runs[d.dev].system if d.dev in shared.runs else "",
                version=shared.runs[d.dev].version if d.dev in shared.runs else "",
                added=d.added,
                last_seen=d.last_seen,
                alive=alive.get(d.dev),
                mine=d.mine,
                revoked=d.revoked,
                revocable=not d.revoked and not d.mine and order.index(d.dev) > me,
                by=self._named(shared.names, own, d.by),
            )
            for d in own
        ]
        return sorted(rows, key=lambda row: (row.revoked, not row.mine))

    def _named(self, names: dict[DevId, str], own: list[OwnDevice], dev: DevId | None) -> str:
        return names.get(dev, "") if dev is not None and len(own) > 1 else ""

    def look(self) -> None:
        """Has `run` ask the server when it saw each device last. `changed` is emitted with the result; `asked` is False
        if the server did not answer."""
        self._wanted.set()

    async def _look(self) -> None:
        try:
            await self._engine.devices.fetch_last_seen()
            self.asked = True
        except SyncError as e:
            log.store.info("devices-not-seen", code=e.code)
            self.asked = False
        self.changed.emit()

    @property
    def ended(self) -> str | None:
        """▲ "revoked" or "reset" if this person's own log, as this device verified it, says that it is over."""
        return self._engine.devices.ended

    # -- actions --------------------------------------------------------------------------------------------------

    def rename(self, dev: DevId, name: str) -> None:
        """Gives a device of this person a new name. Works offline, and other devices see it."""
        self._personal.rename(dev, name)

    def added_by(self, dev: DevId) -> list[DeviceInfo]:
        """The devices that the device `dev` added, directly or through others, and that are active now, in the order of
        `all`. A revoked device in between does not end the chain."""
        added = set(self._engine.devices.added_by(dev))
        return [row for row in self.all() if row.dev in added]

    async def revoke(self, dev: DevId, *, with_added: bool = False) -> None:
        """Revokes a device: from now on nothing is sealed to it, and one room after the other states it and gets a new
        key before anything more is written there. `with_added`: the devices that it added are revoked too. Raises
        Unreachable; Refused or Reject if it may not, such as Reject "older" for a device older than this one. After an
        error some of them may already be revoked."""
        devices = self._engine.devices
        try:
            await (devices.revoke_with_added(dev) if with_added else devices.revoke(dev))
        finally:
            self.changed.emit()

    @property
    def revocation_progress(self) -> RevocationProgress | None:
        """How many of this person's rooms state in their logs that a device was revoked, so that nothing more is
        written there under a key that it has; None once all do, or if none was revoked."""
        left, rooms = self._engine.revocation_progress
        return RevocationProgress(rooms=rooms - left, all=rooms) if left else None

    async def run(self) -> None:
        """Runs until cancelled. Asks the server for the devices' times after each `look`, and emits `changed` while a
        revocation makes progress."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wanted.wait()
            if self._wanted.is_set():
                self._wanted.clear()
                await self._look()
            left = self._engine.revocation_progress
            if left != self._left:
                self._left = left
                self.changed.emit()

    # -- letting one in -------------------------------------------------------------------------------------------

    @property
    def digits_from(self) -> int | None:
        """The time (ms) from which digits may be compared again, after three comparisons that failed within an hour;
        None if they may be now."""
        return self._misses.until(clock.now_ms())

    def invite(self) -> Invitation:
        """Makes an attempt to let another device in, which begins with its `open`; an earlier attempt gets no more
        messages. NotFound while the person's own staff record is not here."""
        me = self._store.people.get(self._people.me.uid)  # the name as the agency wrote it: a shown name may differ
        if me is None:
            raise NotFound
        record = encode_record({"name": me.name, "title": me.title, "unit": me.unit})
        return Invitation(self._engine.invite_device(record), self._misses, self._name)

    def _name(self, dev: DevId, new: Newcomer) -> None:
        with contextlib.suppress(NotFound):  # a new device writes its own name once it is in
            self._personal.rename(dev, new.name)
        self.changed.emit()
