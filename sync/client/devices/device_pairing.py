# SPDX-License-Identifier: EUPL-1.2
"""Adds a second device: `Host` is the old device's side, `Guest` the new one's (protocol §11).

The two exchange messages through a box at the server. sync/trust/person/pairing_protocol.py defines the messages and
what each side verifies.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sync.client.account.account_secrets import Account
from sync.client.account.compare_and_swap import again
from sync.client.account.enrolment import converse
from sync.client.account.known_logs import entries_after
from sync.client.devices.own_devices import Devices
from sync.client.link import Link
from sync.client.wire.connection import Connection
from sync.client.wire.transport import Dialer
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject, Unreachable
from sync.ids import DevId, Hash
from sync.protocol import messages as m
from sync.protocol.version import PAIR_MESSAGES
from sync.trust.person import user_drafts
from sync.trust.person.agency import agency_fingerprint, decode_record, record_hash
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import NewDevice, OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering
from sync.trust.person.user_log import Device, UserLog

ENDED = "pairing"
"""The other side has left, or the five minutes are over."""


class _Mail:
    """The queue of the messages that the other device in a pairing has sent, in their order, until the pairing is over
    or the connection lost."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.over = False

    def on_frame(self, frame: m.ServerFrame) -> None:
        """Queues the message in `frame` for `next`; ends the queue, so that `next` then raises, if the frame says that
        the other device has left or the time is over. Other frames are ignored, and so are all frames after the end. ▲
        More unread messages than a pairing can have (PAIR_MESSAGES) end it too; otherwise a false server could fill the
        memory."""
        if self.over:
            return
        if isinstance(frame, m.PairMail) and self._queue.qsize() < PAIR_MESSAGES:
            self._queue.put_nowait(frame.data)
        elif isinstance(frame, m.PairMail | m.PairEnd):
            self.end()

    def end(self) -> None:
        self.over = True
        self._queue.put_nowait(None)

    async def next(self) -> bytes:
        """Waits for the next message of the other device. Refused("pairing") once all messages are read and the queue
        has ended: that device has left, the time is over, the connection is lost, this side has closed, or too many
        messages came."""
        data = await self._queue.get()
        if data is None:
            self.end()
            raise Refused(ENDED)
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the old device shows at the beginning of a pairing, of which the person uses one: `code`, 26 letters, or
    `number`, nine digits; the other is "". It holds until `expires_ms` (the server's time, ms). With the number both
    devices later show six digits to compare, which are not in here."""

    code: str
    number: str
    expires_ms: int


class Host:
    """The old device's side of one attempt to add a new device to the person's account. Call `open`, then
    `wait_for_guest`, then `admit` or `close`; each attempt has its own Host.

    ▲ Only `admit` adds a device. The caller calls it when a person at this screen has seen which device asks and said
    yes, and with digits has compared them.
    """

    def __init__(self, link: Link, devices: Devices, record: bytes) -> None:
        """`link` is what the parts of this account's engine share: the account's secrets, the store and the signed-in
        connection to the server. `devices` are this person's devices, to which the new one is added. `record`: this
        person's own staff record (name, title, unit), encoded, which the new device shows."""
        self._link = link
        self._devices = devices
        self._record = record
        self._mail = _Mail()
        self._admitting: Admitting | None = None
        self._opened = False

    def on_frame(self, frame: m.ServerFrame) -> None:
        """Takes a frame of the connection that may be for this pairing."""
        self._mail.on_frame(frame)

    def lost(self) -> None:
        """The connection has ended, and the box with it; or the engine has begun another attempt."""
        self._mail.end()

    async def open(self, *, by_code: bool) -> Offer:
        """Opens a box at the server through which the two devices exchange messages, and returns what this device shows
        for the person to type at the new one: a code if `by_code`, otherwise a number. Unreachable while offline or if
        no reply comes; Refused if the server opens no box."""
        code = PairingCode.fresh() if by_code else None
        box = code.box if code is not None else b""
        opened = await self._link.online.request(lambda rid: m.PairOpen(rid=rid, box=box), m.PairOpened)
        self._opened = True
        agency = agency_fingerprint(self._link.account.agency_pk)
        self._admitting = Admitting(agency, self._link.account.kem, code)
        number = "" if code is not None else opened.box.decode("ascii", "replace")
        return Offer(code=code.format() if code is not None else "", number=number, expires_ms=opened.expires)

    @property
    def digits(self) -> str:
        """The digits to compare, once `wait_for_guest` has returned; "" for a pairing by code."""
        return self._admitting.digits if self._admitting is not None else ""

    async def wait_for_guest(self) -> NewDevice:
        """Waits for a new device to join, and returns what is known of it once it has proved its keys. Reject "enrol"
        for a device that does not have the code or (with digits) has changed its keys since its first message,
        "signature" for a wrong proof; Refused("pairing") if the new device has left, the time is over, or `open` was
        not called."""
        admitting = self._admitting
        if admitting is None:
            raise Refused(ENDED)
        admitting.receive_first(await self._mail.next())
        await self._devices.follow(self._link.online)
        await self._post(admitting.describe(self._old()))
        admitting.check(await self._mail.next())
        assert admitting.new is not None  # noqa: S101 - `check` has it
        return admitting.new

    async def admit(self) -> DevId:
        """Adds the new device, which `wait_for_guest` returned, to the account after the person said yes, sends it a
        message that it is added, and returns its id.

        If the own log has grown since the new device proved its keys, that device proves them again for the newer log.
        Refused("pairing") if the other side has left or `wait_for_guest` has not returned, "revoked" and "reset" if the
        log has ended this device, "conflict" if it has grown again at each try. Reject "signature" or "enrol" if that
        new proof is wrong, "puk" if this device lacks the newest generation of the person's key. Unreachable while
        offline. An error may also mean that the device is added and only that message could not be sent.
        """
        admitting = self._admitting
        if admitting is None or admitting.new is None or self._mail.over:
            raise Refused(ENDED)
        added = await again(partial(self._admit, admitting, admitting.new), self._devices.follow_now)
        await self._post(admitting.done(added.added, added.dev))
        return added.dev

    async def _admit(self, admitting: Admitting, new: NewDevice) -> Device:
        self._devices.check_active()
        own = self._devices.own_log
        if admitting.proved != own.head:
            await self._post(admitting.ask_again(own.seq, own.head))
            admitting.check_again(await self._mail.next())
        assert admitting.proved is not None  # noqa: S101 - `check` or `check_again` has it
        return await self._devices.admit(new, admitting.proof, admitting.proved)

    async def close(self) -> None:
        """Ends this attempt to add a device. A pending `wait_for_guest` raises Refused("pairing"), and so does the
        other side, unless it was sent the message that it is added. A second call does no harm; after `admit` the
        device stays added."""
        self._mail.end()
        self._admitting = None
        if self._opened:
            self._opened = False
            with contextlib.suppress(Refused, Unreachable):
                await self._link.online.request(lambda rid: m.PairLeave(rid=rid), m.Ok)

    def _old(self) -> OldDevice:
        own, account = self._devices.own_log, self._link.account
        return OldDevice(
            uid=own.uid,
            genesis=own.genesis,
            seq=own.seq,
            head=own.head,
            dev=account.dev,
            kem_pk=account.kem.public,
            record=self._record,
        )

    async def _post(self, data: bytes) -> None:
        await self._link.online.request(lambda rid: m.PairPost(rid=rid, data=data), m.Ok)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a new device has once it was added: its account, and its person's key log and verified staff record with its
    salt, for the application's store."""

    account: Account
    entries: list[tuple[bytes, bytes]]
    record: dict[str, str]
    salt: bytes


@dataclass(slots=True, kw_only=True)
class Guest:
    """The new device's side of a pairing, by which it is added to a person's account. Call `join`, then `finish`;
    `close` in every case. `dialer` connects to the server; `name` and `system` describe this device to the old one;
    `now_ms` returns this device's clock (ms)."""

    dialer: Dialer
    name: str
    system: str
    now_ms: Callable[[], int]
    _secrets: DeviceSecrets = field(default_factory=DeviceSecrets.without_root, repr=False)
    _mail: _Mail = field(default_factory=_Mail)
    _connection: Connection | None = None
    _reading: "asyncio.Future[None] | None" = None
    _entering: Entering | None = None
    _agency_pk: bytes = b""
    _added: "asyncio.Task[tuple[int, DevId]] | None" = None
    """Waits for the old device's yes; gives the entry that added this device, and its id."""

    async def join(self, *, code: str = "", number: str = "") -> OldDevice:
        """Joins the old device's box at the server, through which the two exchange messages, and returns that device's
        identity, to be shown to the person. Only one argument is needed, what the old device shows. `code`, its
        letters, finds the box and encrypts all messages. If `code` is "", the digits in `number` find the box, and the
        person also compares `digits` on both screens. An earlier attempt of this Guest ends.

        Reject "code" if the code is mistyped. Refused "code-unknown" if there is no such box, "code-used" if one was
        joined before, "busy" if too many devices try numbers, "pairing" if the old device has left or the time is over.
        Reject "enrol" if its answer does not verify, for example because it, or an attacker in between, does not have
        the code. Also Unreachable and the other errors of `Connection.connect`.
        """
        pairing = PairingCode.parse(code) if code else None
        box = pairing.box if pairing is not None else "".join(c for c in number if c.isdigit()).encode()
        await self.close()
        self._mail = _Mail()
        self._connection = connection = await Connection.connect(self.dialer, now_ms=self.now_ms, agency_pin=None)
        self._reading = asyncio.ensure_future(connection.run(self._mail.on_frame))
        self._reading.add_done_callback(self._line_ended)
        self._agency_pk = connection.identity.agency_pk
        agency = agency_fingerprint(self._agency_pk)
        self._entering = entering = Entering(agency, self._secrets, self.name, self.system, pairing)
        await connection.request(lambda rid: m.PairJoin(rid=rid, box=box), m.Ok)
        await self._post(entering.first())
        await self._post(entering.answer(await self._mail.next()))
        assert entering.old is not None  # noqa: S101 - `answer` has it
        self._added = asyncio.ensure_future(self._wait_for_yes(entering))
        self._added.add_done_callback(_ignore_error)
        return entering.old

    async def _wait_for_yes(self, entering: Entering) -> tuple[int, DevId]:
        """Waits until the person at the old device says yes; until then proves this device's keys again as often as the
        person's log grows. `entering` reads the old device's messages and makes the proofs. Returns the number of the
        log entry that added this device, and this device's id. Refused("pairing") if the answer is no or does not come,
        Reject "enrol" for a false message of the old device, Unreachable if a proof cannot be sent."""
        while True:
            message = await self._mail.next()
            answer = entering.prove_again(message)
            if answer is None:
                return entering.done(message)
            await self._post(answer)

    @property
    def digits(self) -> str:
        """The digits to compare, after `join`; "" for a pairing by code."""
        return self._entering.digits if self._entering is not None else ""

    async def finish(self, keep: Callable[[Joined], None]) -> Joined:
        """Waits for the old device's yes, signs in at the server as the new device, verifies the person's log and
        decrypts their keys. Calls `keep` with all of that (one `Joined`), so that the application stores it, and
        returns it. If the line is lost after the yes, or `keep` raises, call `finish` again: `keep` is then called
        again too.

        Refused("pairing") if the answer is no or does not come, or `join` was not called. Reject "enrol" if the log is
        not the one that the old device named, "record" if the server does not give the staff record that the log names,
        another Reject for an invalid log. Also Unreachable and the other errors of connecting and signing in, and what
        `keep` raises."""
        entering, yes = self._entering, self._added
        if entering is None or entering.old is None or yes is None:
            raise Refused(ENDED)
        seq, dev = await asyncio.shield(yes)
        await self._hang_up()
        own = await self._signed_in(self._agency_pk, entering.old, entering.heads, seq, dev)
        keep(own)
        self._entering = self._added = None
        return own

    async def _signed_in(
        self, agency_pk: bytes, old: OldDevice, heads: Sequence[tuple[int, Hash]], seq: int, dev: DevId
    ) -> Joined:
        """Signs in as the new device `dev`, and fetches and verifies the person's log, which the agency's public key
        `agency_pk` certifies. Returns the account, the log and the staff record. ▲ Reject "enrol" unless it is the log
        of the person in `old` (whom the old device named), contains `heads`, all the (number, hash) of entries that the
        old device named, and itself lists this device, with its key, as active after its entry `seq`. Reject "record"
        if the server does not give the staff record that the log names, another Reject for an invalid log. Also
        Unreachable and the other errors of connecting and signing in."""
        signing = SigningKey(self._secrets.sign)

        async def fetch(connection: Connection) -> tuple[UserLog, list[tuple[bytes, bytes]], m.Person]:
            await connection.sign_in(old.uid, dev, signing, [])
            entries = await entries_after(connection, old.uid, -1)
            while len(entries) <= seq and (more := await entries_after(connection, old.uid, len(entries) - 1)):
                entries += more
            log = UserLog.replay(entries, agency_pk)
            mine = log.device_active(dev, seq)
            goes_on = all(log.head_at(n) == head for n, head in heads)
            if log.genesis != old.genesis or not goes_on or mine is None:
                raise Reject("enrol", "own log")
            if mine.sign_pk != signing.public:
                raise Reject("enrol", "own keys")
            return log, entries, await self._record(connection, log)

        log, entries, person = await converse(self.dialer, agency_fingerprint(agency_pk), self.now_ms, fetch)
        account = Account(uid=log.uid, dev=dev, agency_pk=agency_pk, secrets=self._secrets, puk_seeds={})
        account.puk_seeds.update(user_drafts.open_generations(log, dev, account.kem, {}))
        return Joined(account=account, entries=entries, record=decode_record(person.record), salt=person.salt)

    async def _record(self, connection: Connection, log: UserLog) -> m.Person:
        reply = await connection.request(lambda rid: m.Directory(rid=rid, query="", uids=[log.uid]), m.DirectoryReply)
        for person in reply.people:
            if person.uid == log.uid and log.record_hash == record_hash(person.salt, person.record):
                return person
        raise Reject("record", "directory")

    async def _post(self, data: bytes) -> None:
        if self._connection is None:
            raise Unreachable("offline")
        await self._connection.request(lambda rid: m.PairPost(rid=rid, data=data), m.Ok)

    def _line_ended(self, reading: "asyncio.Future[None]") -> None:
        if not reading.cancelled():
            reading.exception()
        self._mail.end()

    async def close(self) -> None:
        """Ends this device's attempt to be added, and closes its connection, by which the old device is notified. Does
        no harm after `finish`, on a lost line, or when called twice."""
        if self._added is not None:
            self._added.cancel()
        self._entering = self._added = None
        await self._hang_up()

    async def _hang_up(self) -> None:
        reading, self._reading, self._connection = self._reading, None, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def _ignore_error(task: "asyncio.Task[tuple[int, DevId]]") -> None:
    """Called when `task`, which waits for the old device's yes, has ended: takes its error, so that asyncio does not
    log it. `finish` still raises it, if it is called. Does nothing for a cancelled task. The result (number of the log
    entry that added this device, its id) is left for `finish`."""
    if not task.cancelled():
        task.exception()
