# SPDX-License-Identifier: EUPL-1.2
"""The office of a false server: four people at their desks, and a room of three of them.

The desks' own engines do everything, except the first sign-in and the transfer of a new device's keys to the old one,
since neither passes the server.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from app.core.ids import RoomId, Uid
from sync.client.account.account_secrets import Account
from sync.client.status import RoomState
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import SyncError
from sync.server.store.base import InviteRow
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, Entry, new_user
from sync.trust.person.pairing_messages import NewDevice
from sync.trust.person.user_entry import device_id
from sync.trust.person.user_log import UserLog
from sync.trust.room.entry_drafts import Draft, Drafter
from tests.sync.byzantine.desk import Desk, ServerSide
from tests.sync.byzantine.still import BEGAN_MS, YEAR_MS, still

NAMES = ("Enhetschef", "Handläggare", "Registrator", "Jurist")
_SHM = Path("/dev/shm")  # noqa: S108 - a disk that forgets is right for a test, and thirty times as fast


class Employer(ServerSide, Protocol):
    """A server that enrols new people."""

    def enrol(self, invite: InviteRow, log: UserLog, entries: Sequence[Entry]) -> None: ...


S = TypeVar("S", bound=Employer)


class Office(Generic[S]):
    """`desks` are those whose people are honest and at work. Call `close` at the end."""

    def __init__(self, seed: int, build: Callable[["Office[S]"], S]) -> None:
        """`build` makes the server from a loop, a clock and an agency."""
        self._stack = ExitStack()
        self.loop, self.clock = self._stack.enter_context(still(seed))
        self.folder = Path(tempfile.mkdtemp(dir=_SHM if _SHM.is_dir() else None))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.agency = Agency(os.urandom(32))
        self.server = build(self)
        self.desks: list[Desk] = []
        self.everybody: list[Desk] = []
        """Includes those who have gone over to the server."""
        self._staff: dict[Uid, tuple[dict[str, str], bytes]] = {}
        for name in NAMES:
            self.hire(name)
        self.loop.settle(1)
        a, b, c, _ = self.desks
        self.room: RoomId = self.loop.do(a.engine.operations.create_room())
        self.loop.do(a.engine.operations.add(self.room, b.uid, 3, history=True))
        self.loop.do(a.engine.operations.add(self.room, c.uid, 2, history=False))
        self.loop.settle(5)
        assert all(d.engine.room_state(self.room) is RoomState.SEALED for d in (a, b, c))

    def close(self) -> None:
        """Ends everything."""
        for desk in self.everybody:
            self.loop.do(desk.stop())
        self._stack.close()

    def hire(self, name: str) -> Desk:
        """A person at a desk."""
        account, entries = self.enrol(name)
        return self._desk(name, account, entries)

    def enrol(self, name: str) -> tuple[Account, list[tuple[bytes, bytes]]]:
        """A person with a binding and a key. A person without a desk is unknown to all others."""
        code, salt = SignInCode.fresh(self.agency.pk), os.urandom(16)
        record = {"name": name, "title": name, "unit": "Enheten för tillsyn"}
        packed, until = encode_record(record), BEGAN_MS + YEAR_MS
        digest = record_hash(salt, packed)
        cert = self.agency.certify_invite(code.key.public, digest, until)
        secrets, seed = DeviceSecrets.fresh(), os.urandom(32)
        entries, log = new_user(secrets, code, self.agency.pk, cert, digest, seed, self.clock.ms())
        invite = InviteRow(
            invite_pk=code.key.public, cert_body=cert[0], cert_sig=cert[1], salt=salt, record=packed, not_after=until
        )
        self.server.enrol(invite, log, entries)
        self._staff[log.uid] = record, salt
        account = Account(
            uid=log.uid, dev=next(iter(log.devices)), agency_pk=self.agency.pk, secrets=secrets, puk_seeds={1: seed}
        )
        return account, entries

    def second(self, old: Desk, name: str) -> Desk:
        """Another desk of the same person, added by the first."""
        own, secrets = old.engine.devices.own_log, DeviceSecrets.without_root()
        signing, kem = SigningKey(secrets.sign), KemKey(secrets.kem)
        proof = signing.sign("dev-proof", [own.uid, own.head, [signing.public, kem.public], old.dev])
        new = NewDevice(sign_pk=signing.public, kem_pk=kem.public, name=name, system="Debian 13")
        self.loop.do(old.engine.devices.admit(new, proof, own.head))
        dev = device_id(own.genesis_root_pk, signing.public)
        log = UserLog.replay(old.store.user_log(old.uid), self.agency.pk)
        seeds = user_drafts.open_generations(log, dev, kem, {})
        account = Account(uid=old.uid, dev=dev, agency_pk=self.agency.pk, secrets=secrets, puk_seeds=seeds)
        return self._desk(name, account, old.store.user_log(old.uid))

    def _desk(self, name: str, account: Account, entries: list[tuple[bytes, bytes]]) -> Desk:
        desk = Desk(name, self.folder, self.server, self.clock, account)
        desk.create(entries, *self._staff[account.uid])
        self.desks.append(desk)
        self.everybody.append(desk)
        self.loop.do(_begin(desk))
        return desk

    # -- what people do ---------------------------------------------------------------------------------------------

    def tries(self, operation: Coroutine[Any, Any, object]) -> bool:
        """Runs an operation that the server may refuse; True if it succeeded."""
        try:
            self.loop.do(operation)
        except SyncError:
            return False
        return True

    def of(self, uid: Uid) -> list[Desk]:
        """A person's honest desks."""
        return [desk for desk in self.desks if desk.uid == uid]

    def drafter(self, desk: Desk, room: RoomId) -> Drafter:
        """For entries that the user interface does not offer."""
        return desk.engine.parts.outbox.drafter(desk.engine.parts.link.rooms[room])

    async def append(self, desk: Desk, room: RoomId, draft: Draft) -> None:
        await desk.engine.parts.outbox.append(desk.engine.parts.link.rooms[room], draft)


async def _begin(desk: Desk) -> None:
    desk.start()
