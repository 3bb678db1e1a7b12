# SPDX-License-Identifier: EUPL-1.2
"""Fills a bench's server quickly, without sockets: messages of one desk, members by the thousand, rooms by the store.

Everything is built by the client's own builders and judged by the server's own service; only the network is left out.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from app.chat.records import MessageSent, encode
from app.core import clock
from app.core.ids import ObjId, RoomId, Uid, new_change
from app.store.store import Store
from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from sync.client.room.room_sync import RoomSync
from sync.ids import DevId
from sync.protocol.messages import Append, Push, PutSeals, Signed
from sync.server.config import Config, Limits
from sync.server.host.identity import read_agency, read_identity
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.rules.handshake import Who
from sync.server.rules.service import Service
from sync.server.rules.store_rows import entry_rows, user_row
from sync.server.store.base import InviteRow
from sync.server.store.sql import SqlStore
from sync.trust.formats.items import ENTRY, Item, Role
from sync.trust.person.agency import SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, new_user
from sync.trust.person.user_log import UserLog
from sync.trust.room.entry_drafts import Drafter
from sync.trust.room.envelope import PlainOp, encrypt_batch, pack
from tests.bench.desk import TEXT
from tests.bench.office import open_store

_AT_ONCE = 64


@contextlib.asynccontextmanager
async def service_of(folder: Path, limits: Limits | None = None) -> AsyncIterator[tuple[Service, SqlStore]]:
    """The server's rules over its database, while its process does not run; with its own limits if none are given."""
    config = Config(data=folder / "server")
    store = SqlStore(config.database)
    await store.open()
    identity = read_identity(config.data, clock.now_ms())
    service = Service(store, FilesystemObjects(config.blobs), identity, limits or Limits())
    try:
        yield service, store
    finally:
        await service.close()
        await store.close()


class Hand:
    """One desk's account and its view of a room, as its engine would have them."""

    def __init__(self, store: Store, room: RoomId) -> None:
        stored = store.load_account()
        assert stored is not None
        self.account = Account.decode(stored)
        self.book = Book(store, self.account.agency_pk)
        self.room = RoomSync(room, store, self.book, self.account, dict(store.rooms())[room])
        self.who = Who(self.account.uid, self.account.dev)
        log = self.book.log(self.account.uid)
        assert log is not None
        self.author = self.account.author(log)


async def write_messages(folder: Path, name: str, room: RoomId, count: int, batch: int) -> None:
    """One desk's messages, an envelope each, `batch` of them under one signature. Its own store is not told."""
    with open_store(folder, name) as store:
        hand = Hand(store, room)
        [channel] = store.objects.all(room, "chat")
        key = hand.room.keys.content_key(channel.obj)
    assert key is not None
    stream, seq = hand.room.stream, hand.room.own_seq + 1
    prev = stream.next_prev(hand.author.uid, hand.author.dev)
    frames = []
    for start in range(0, count, batch):
        texts = [TEXT.format(n=n) for n in range(start, start + batch)]
        ops = [PlainOp(channel.obj, key, b"", pack([(new_change(), encode(MessageSent(text=t)))])) for t in texts]
        sealed = encrypt_batch(hand.author, room, stream.epoch, (stream.n, stream.rh), seq, prev, ops)
        frames.append(Push(0, room, list(sealed.bodies), list(sealed.cts), sealed.sig, []))
        prev, seq = sealed.last_id, seq + batch
    async with service_of(folder) as (service, _):
        for at in range(0, len(frames), _AT_ONCE):
            await asyncio.gather(*(service.placing.push(hand.who, frame) for frame in frames[at : at + _AT_ONCE]))


async def enrol_crowd(folder: Path, count: int) -> list[UserLog]:
    """So many more people in the agency's directory; what their devices' keys were is forgotten."""
    agency, logs = read_agency(folder / "server"), []
    ends = clock.now_ms() + 3_600_000
    async with service_of(folder) as (_, store):
        for n in range(count):
            code, salt = SignInCode.fresh(agency.pk), os.urandom(16)
            record = encode_record({"name": f"Handläggare {n + 1}", "title": "Handläggare", "unit": "Tillsyn"})
            digest = record_hash(salt, record)
            cert = agency.certify_invite(code.key.public, digest, ends)
            secrets = DeviceSecrets.fresh()
            entries, log = new_user(secrets, code, agency.pk, cert, digest, os.urandom(32), clock.now_ms())
            invite = InviteRow(
                invite_pk=code.key.public,
                cert_body=cert[0],
                cert_sig=cert[1],
                salt=salt,
                record=record,
                not_after=ends,
            )
            rows = entry_rows(0, [Signed(*entry) for entry in entries])
            await asyncio.gather(store.add_invite(invite), store.enrol(invite.invite_pk, user_row(log, invite), rows))
            logs.append(log)
    return logs


class _Known:
    """A book of the crowd's logs beside the desk's own."""

    def __init__(self, book: Book, logs: Sequence[UserLog]) -> None:
        self._book = book
        self._logs = {log.uid: log for log in logs}

    def log(self, uid: Uid) -> UserLog | None:
        return self._logs.get(uid) or self._book.log(uid)


async def add_members(folder: Path, name: str, room: RoomId, logs: Sequence[UserLog]) -> None:
    """The desk's person adds everybody, one entry and one seal each."""
    with open_store(folder, name) as store:
        hand = Hand(store, room)
        stream, ring, book = hand.room.stream, hand.room.keys.ring, _Known(hand.book, logs)
        async with service_of(folder) as (service, _):
            for log in logs:
                draft = Drafter(stream, hand.author, book, ring, clock.now_ms()).add(log.uid, Role.WRITER, history=True)
                assert draft.root is not None
                service.placing.put_seals(hand.who, PutSeals(0, room, draft.root, 0, draft.seals))
                [(body, sig)] = draft.entries
                placed = await service.placing.append(hand.who, Append(0, room, [Signed(body, sig)]))
                stream.accept([Item(placed.first, placed.receipt.t, ENTRY, body, sig, None)], book)


def store_messages(store: Store, room: RoomId, count: int) -> None:
    """Messages as if they had come from a colleague: changes, read models and search, without the network."""
    [channel] = store.objects.all(room, "chat")
    author, dev = Uid(os.urandom(16)), DevId(os.urandom(16))
    t = clock.now_ms() - count * 1000
    for start in range(0, count, 500):
        store.receive(
            ReceivedSlice(
                room=room,
                changes=[
                    OpenedChange(
                        n=1000 + n,
                        t=t + n * 1000,
                        uid=author,
                        dev=dev,
                        obj=ObjId(channel.obj),
                        change_id=new_change(),
                        payload=encode(MessageSent(text=TEXT.format(n=n))),
                    )
                    for n in range(start, start + 500)
                ],
            )
        )
