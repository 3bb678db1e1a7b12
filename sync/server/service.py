# SPDX-License-Identifier: EUPL-1.2
"""Every request and who answers it. Rules about people, places, rooms and blobs live in their own files; no I/O but the
store and the object store."""

from collections.abc import Collection

from sync.ids import DevId, Uid
from sync.protocol.messages import (
    Append,
    Auth,
    Authed,
    BlobToken,
    ClientFrame,
    Directory,
    Enrol,
    Ephemeral,
    ErrorCode,
    Frame,
    Invite,
    Ok,
    Pull,
    Push,
    PutSeals,
    PutShare,
    Reseal,
    SealRequest,
    ShareRequest,
    Subscribe,
    UserAppend,
    UserLog,
)
from sync.server.auth import Handshake, Who
from sync.server.blobs import Blobs
from sync.server.config import Limits
from sync.server.fanout import Hub, Listener
from sync.server.identity import Identity
from sync.server.live import LiveRooms
from sync.server.objects.base import Objects
from sync.server.people import People
from sync.server.placing import Placing
from sync.server.receipts import Receipts
from sync.server.refusal import Refusal
from sync.server.rooms import Rooms
from sync.server.store.base import Store


class Service:
    """The server without its sockets. `addresses` are the `host:port` that a client may sign for."""

    def __init__(self, store: Store, objects: Objects, identity: Identity, limits: Limits) -> None:
        self.limits = limits
        self.hub = Hub()
        self.addresses: Collection[str] = ()
        self.people = People(store, identity, limits.logs_in_memory)
        self.live = LiveRooms(store, self.people, identity.key, limits.rooms_in_memory)
        self.rooms = Rooms(store, self.people, self.hub, self.live, limits)
        self.placing = Placing(store, self.people, self.hub, self.live, limits)
        self.blobs = Blobs(store, objects, self.rooms, limits)
        self.receipts = Receipts(store, identity.key.public)
        self._identity = identity

    async def close(self) -> None:
        """Keeps the rooms' states, so that the next start is quick."""
        await self.live.close()

    def handshake(self) -> Handshake:
        """A new connection's handshake."""
        return Handshake(self._identity, lambda: self.addresses)

    async def sign_in(self, handshake: Handshake, frame: Auth) -> tuple[Who, Authed]:
        """Checks the proof and says where the person's log and rooms stand."""
        log = await self.people.load(frame.uid)
        who = handshake.sign_in(frame, log)
        if log is None:
            raise Refusal(ErrorCode.AUTH, fatal=True)
        heads = await self.rooms.heads(who)
        await self.receipts.look(frame.receipts, heads)
        return who, Authed(frame.rid, log.seq, log.head, heads)

    async def before_sign_in(self, frame: ClientFrame) -> Frame:
        """What anyone with a sign-in code may ask."""
        match frame:
            case Invite():
                return await self.people.invite(frame)
            case Enrol():
                return await self.people.enrol(frame)
            case _:
                raise Refusal(ErrorCode.AUTH, "first sign in", fatal=True)

    async def answer(self, listener: Listener, frame: ClientFrame) -> Frame:
        """Answers a signed-in device's request, or raises Refusal, Reject or StoreError."""
        who = Who(Uid(listener.uid), DevId(listener.dev))
        match frame:
            case Push():
                return await self.placing.push(who, frame)
            case Pull():
                return await self.rooms.pull(who, frame)
            case Append():
                return await self.placing.append(who, frame)
            case Subscribe():
                return await self.rooms.subscribe(listener, frame)
            case PutSeals():
                return self.placing.put_seals(who, frame)
            case SealRequest():
                return await self.rooms.seals(who, frame)
            case Reseal():
                return await self.rooms.reseal(who, frame)
            case ShareRequest():
                return await self.rooms.shares(listener, frame)
            case PutShare():
                return await self.rooms.put_share(who, frame)
            case Directory():
                return await self.people.directory(frame)
            case UserLog():
                return await self.people.entries(frame)
            case UserAppend():
                return await self._user_append(who, frame)
            case BlobToken():
                return self.blobs.mint(who, frame)
            case _:
                raise Refusal(ErrorCode.MALFORMED, "not now", fatal=True)

    async def _user_append(self, who: Who, frame: UserAppend) -> Ok:
        revoked = await self.people.append(who, frame)
        for dev in revoked:
            self.blobs.revoke(dev)
            self.hub.cut(dev, who.uid, ErrorCode.AUTH)
        return Ok(frame.rid)

    def ephemeral(self, listener: Listener, frame: Ephemeral) -> None:
        """Passes a signed, unstored message on to the room's other listeners."""
        self.rooms.ephemeral(listener, frame)
