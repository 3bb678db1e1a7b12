# SPDX-License-Identifier: EUPL-1.2
"""The person's own devices and keys: their log is followed, extended and kept in order (protocol §3, §11).

An entry is built on the newest log and goes to the server by compare-and-swap; if another device was first, it is built
again on the newer log (compare_and_swap.py). New PUK generations of any device are opened from the log: so a device
that stopped in between gets them too.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from sync.client.account import sealed_export
from sync.client.account.compare_and_swap import again
from sync.client.link import Link
from sync.client.wire.connection import Connection
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject
from sync.ids import DevId, Hash
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.person import user_drafts
from sync.trust.person.author import Entry
from sync.trust.person.pairing_messages import NewDevice
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_entry import ROOT, UserEntry, device_id, entry_id
from sync.trust.person.user_log import Device, UserLog

log = logging.getLogger("sync")

RENEW_MS = 30 * 86_400_000
"""The age of a PUK generation at which a device makes the next one."""
AHEAD_MS = 86_400_000
"""▲ A PUK generation whose claimed time is further ahead is renewed too. Otherwise a stolen device could put
the next renewal off for ever."""
Build = Callable[[UserLog, Hand, int], Entry | None]
"""(this person's newest log, this device as the signer, the server's time in ms) → an entry drafted on that log; None
if nothing is left to do."""
REVOKED = "revoked"
RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDevice:
    """One device of this person, as their log shows it, also if it was revoked. `mine`: it is this device. Times are in
    ms; `added` is the claim of the entry that added it. `last_seen` (when the server last saw it) and `agent` (the name
    of the program that it uses) are the server's word alone; None and "" if the server was not asked or does not say.

    `by` is the device that added it; None for the first device and for one that was recovered with the recovery sheet.
    """

    dev: DevId
    added: int
    revoked: bool
    mine: bool
    by: DevId | None
    last_seen: int | None
    agent: str


class Devices:
    """This person's devices and keys, which their own log lists: shows, adds and revokes devices, and renews the
    person's key (PUK), which all their devices share. Its methods raise Unreachable while offline, Refused if the
    server or this device itself refuses, Reject for what breaks a rule; the `code` of the last two says why."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._seen: dict[bytes, m.DeviceSeen] = {}

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def own_log(self) -> UserLog:
        """This person's log as far as this device has it; the server is not asked. Refused "unknown-user" if this
        device has none, Reject if the stored one breaks a rule."""
        found = self._link.book.log(self._link.account.uid)
        if found is None:
            raise Refused(ErrorCode.UNKNOWN_USER, "own log")
        return found

    @property
    def ended(self) -> str | None:
        """▲ Why this device may no longer be used: "revoked" if it was revoked, "reset" if the agency ended the
        person's account; None if it may be used, and if the log is not here or does not list this device. Only the log
        that this device itself has verified counts, not what the server claims."""
        own, dev = self._link.book.log(self._link.account.uid), self._link.account.dev
        device = own.devices.get(dev) if own is not None else None
        if own is None or device is None:
            return None
        return REVOKED if device.revoked is not None else RESET if own.ended is not None else None

    @property
    def mine(self) -> DevId:
        """This device."""
        return self._link.account.dev

    @property
    def newest(self) -> DevId:
        """The device that was added last."""
        return next(reversed(self.own_log.devices))

    def all(self) -> list[OwnDevice]:
        """Every device that the log ever had, the oldest first."""
        return [self._row(device) for device in self.own_log.devices.values()]

    async def fetch_last_seen(self) -> list[OwnDevice]:
        """Asks the server when it last saw each of this person's devices, and with which program. Returns every device
        that the log ever had, the oldest first, with these; `all` gives them from then on too, without asking.
        Unreachable while offline or if no reply comes, Refused if the server refuses."""
        reply = await self._link.online.request(lambda rid: m.Devices(rid=rid), m.DevicesReply)
        self._seen = {seen.dev: seen for seen in reply.devices}
        return self.all()

    def _row(self, device: Device) -> OwnDevice:
        seen = self._seen.get(device.dev)
        return OwnDevice(
            dev=device.dev,
            added=device.time,
            revoked=device.revoked is not None,
            mine=device.dev == self._link.account.dev,
            by=DevId(device.by) if isinstance(device.by, bytes) else None,
            last_seen=seen.last if seen is not None and seen.last else None,
            agent=seen.agent if seen is not None else "",
        )

    # -- operations -----------------------------------------------------------------------------------------------

    async def admit(self, new: NewDevice, proof: bytes, head: Hash) -> Device:
        """Adds the device `new` to this person's account, and returns it as the log then lists it. `proof` is its proof
        that it has its keys, made for the log up to the entry whose hash is `head`. Refused("conflict") if the log has
        grown since: the proof is then useless, and the device must prove its keys for the newer head. Refused "revoked"
        or "reset" if this device, or the account, has ended. Reject "puk" if this device does not hold the newest
        generation of the person's key. Unreachable while offline."""
        self.check_active()
        if self.own_log.head != head:
            raise Refused(ErrorCode.CONFLICT, "own log")
        entry = user_drafts.admit(self.own_log, self._hand(), new.sign_pk, new.kem_pk, proof, self._link.server_now_ms)
        await self.append([entry])
        return self.own_log.devices[device_id(self.own_log.genesis_root_pk, new.sign_pk)]

    async def revoke(self, dev: DevId) -> None:
        """Revokes `dev`, a device of this person: no new key is encrypted to it any more, since the same entry has the
        next generation of the person's key. The present keys of rooms are replaced only later, by `Audit`. No error if
        another device revokes `dev` at the same moment.

        Reject "older" for a device older than this one, "device" for one that is not active, "puk" if this device has
        no generation of the person's key. Refused "busy" for too many revocations in a day, "revoked" or "reset" if
        this device or the account has ended, "conflict" if the log has grown at each try. Unreachable while offline.
        """
        began = self.own_log.seq
        await self._do(lambda own, hand, now: _revocation(own, began, hand, dev, now))

    def added_by(self, dev: DevId) -> list[DevId]:
        """The devices that `dev` added, directly or through others, that are active now, the oldest first. A revoked
        device between does not end the chain. Without `dev` itself; [] for an unknown `dev`."""
        family = {dev}
        for device in self.own_log.devices.values():  # each comes after the device that added it
            if device.by in family:
                family.add(device.dev)
        return [d.dev for d in self.own_log.devices.values() if d.dev in family - {dev} and d.revoked is None]

    async def revoke_with_added(self, dev: DevId) -> None:
        """Revokes `dev`, another device of this person, and then every active device that it added, directly or through
        others. ▲ `dev` is revoked first. Then it can add no more, and the server does not count the other revocations
        against the limit of a day.

        Reject "older" if `dev` is older than this device, "device" if it is not active; Refused "busy" for too many
        revocations in a day, "revoked" or "reset" if this device has ended; Unreachable while offline. An error may
        come after some are revoked; the devices that are left can then be revoked one by one.
        """
        await self.revoke(dev)
        while left := self.added_by(dev):
            await self.revoke(left[0])

    async def renew(self) -> None:
        """Makes the next PUK generation."""
        await self._do(lambda own, hand, now: user_drafts.rotate_puk(own, hand, now)[0])

    async def maintain(self) -> None:
        """Makes the next generation of the person's key (PUK) if one is due, unless another device of the person makes
        it at the same moment. Does nothing at a device that has ended. Unreachable while offline, Refused if the server
        refuses, Reject "puk" if this device has no generation at all.

        One is due if the agency has revoked a device since the newest generation (a device that revokes another makes
        one itself), or if that one is at least RENEW_MS (30 days) old or dated more than AHEAD_MS (a day) ahead, by the
        server's time. ▲ One is also due if the newest does not open here: a stolen device may have made it.
        """
        if self.ended is None and self._renewal_due(self.own_log):
            await self._do(
                lambda own, hand, now: user_drafts.rotate_puk(own, hand, now)[0] if self._renewal_due(own) else None
            )
            log.info("personal key renewed")

    def _renewal_due(self, own: UserLog) -> bool:
        newest, since = own.puks[-1], max(own.agency_revokes, default=-1)
        if newest.gen not in self._link.account.puk_seeds or newest.seq < since:
            return True
        age_ms = self._link.server_now_ms - newest.time
        return age_ms >= RENEW_MS or age_ms < -AHEAD_MS

    async def revoke_by_root(self, dev: DevId, root: SigningKey) -> int | None:
        """Revokes the device `dev` of this person, signed by `root`, the key on the recovery sheet: unlike `revoke`
        also a device older than this one. Returns None when done, also if another device has just revoked it; or the
        server's time (ms) from which it can be done, since other devices may veto it until then: call it again then.

        Reject `recovery-sheet` if the person's root key has been replaced, "device" if `dev` is not active, "puk" if
        this device has no generation of the person's key. Refused "vetoed" if another device objected, "busy" for too
        many revocations in a day, "revoked" or "reset" if this device has ended, "conflict" if the log has grown at
        each try. Unreachable while offline."""
        began, seeds = self.own_log.seq, self._link.account.puk_seeds

        def build(own: UserLog, hand: Hand, now: int) -> Entry | None:
            if own.root_pk != root.public:
                raise Reject("recovery-sheet", "root")
            return _revocation(own, began, Hand(ROOT, root, seeds), dev, now)

        return await self._do(build, may_wait=True)

    def check_active(self) -> None:
        """▲ Refused "revoked" or "reset" if this device has ended: entries that it signs no longer count, and are not
        tried again."""
        if self.ended is not None:
            raise Refused(self.ended)

    async def _do(self, build: Build, *, may_wait: bool = False) -> int | None:
        async def attempt() -> int | None:
            self.check_active()
            self._open_keys()
            entry = build(self.own_log, self._hand(), self._link.server_now_ms)
            return await self.append([entry], may_wait=may_wait) if entry is not None else None

        return await again(attempt, self.follow_now)

    async def append(self, entries: list[Entry], *, may_wait: bool = False) -> int | None:
        """Appends `entries` (at least one), which were built on the newest log, to this person's log at the server and
        here, all or none, and decrypts the new generations of the person's key in them. Returns None when they are in
        the log. If another device may veto them nothing is added yet, and the server's time (ms) is returned from which
        the caller can append them again, built on the log as it is then. Refused("conflict") if the log has grown,
        "vetoed" if a device objected, "busy" for too many revocations or entries in a day, "quota" for too long a log;
        Unreachable while offline.

        ▲ `may_wait`: whether these entries may be subject to a veto, as one made with the recovery sheet is. Without it
        a server's answer that they wait is Reject "malformed": the caller would take them for done.
        """
        signed = [m.Signed(body, sig) for body, sig in entries]
        reply = await self._link.online.request(lambda rid: m.UserAppend(rid=rid, entries=signed), m.Frame)
        if isinstance(reply, m.VetoPeriod) and may_wait:
            return reply.ready
        if not isinstance(reply, m.Ok):
            raise Reject("malformed", f"reply {type(reply).__name__}")
        own = self.own_log
        if UserEntry.decode(entries[0][0]).seq == own.seq + 1:  # unless the server's notice was faster
            self._link.book.take(own.uid, entries)
        self._open_keys()
        return None

    def _hand(self) -> Hand:
        account = self._link.account
        return Hand(account.dev, account.signing, account.puk_seeds)

    # -- sealed exports -------------------------------------------------------------------------------------------

    def seal_to_me(self, body: bytes) -> bytes:
        """Encrypts `body`, what this device could not send, for this person's other devices: to the person's own key,
        signed by this device. Returns the whole sealed export (see sync/client/account/sealed_export.py). Works at a
        revoked device too, offline, and in a thread. A `body` of more than 1 GiB is not refused here, but nothing can
        read its export. Refused "unknown-user" if this device does not have the person's log."""
        return sealed_export.put(self._link.account, self.own_log, body)

    def open_mine(self, head: bytes, packed: bytes) -> tuple[DevId, bytes]:
        """The device that wrote a sealed export, and its content. As `sealed_export.take`."""
        return sealed_export.take(self._link.account, self.own_log, head, packed)

    # -- following ------------------------------------------------------------------------------------------------

    async def follow_now(self) -> None:
        """As `follow`, over the current connection. Unreachable while offline."""
        await self.follow(self._link.online)

    async def follow(self, connection: Connection) -> None:
        """Fetches over `connection`, which is signed in, what is new in this person's log, verifies and stores it,
        and decrypts the new generations of the person's key in it. The server may withhold entries. Unreachable if the
        connection is lost, Refused if the server refuses, Reject for entries that are not valid: of that answer none is
        stored."""
        await self._link.book.fetch(connection, self._link.account.uid)
        self._open_keys()

    def _open_keys(self) -> None:
        """Decrypts the generations of the person's key (PUK) that are in the log here and not known yet, and stores
        them with the account, so that this device can read what is sealed to them. One that does not open is left out
        without an error. Does nothing at a device that has ended. Refused "unknown-user" without a log."""
        account, own = self._link.account, self.own_log
        if self.ended is not None or len(account.puk_seeds) == len(own.puks):
            return
        seeds = user_drafts.open_generations(own, account.dev, account.kem, account.puk_seeds)
        if seeds != account.puk_seeds:
            account.puk_seeds.update(seeds)
            self._link.ports.save_account(account.encode())

    def believe_end(self, entries: list[Entry]) -> None:
        """▲ Stores `entries`, with which the server shows that this device has ended, in this person's log, so that
        `ended` says so too; erases nothing. Only if they verify, continue the log as known here, and revoke this device
        or end the account. Reject "auth" for anything less, and nothing is stored: nothing is given up on a server's
        word. Entries that the log has already may be among them."""
        account, known = self._link.account, self.own_log
        shown, more = replace(known), list[Entry]()
        try:
            for body, sig in entries:  # of a long log the server sends only the newest
                seq = UserEntry.decode(body).seq
                if seq > known.seq:
                    shown.apply(body, sig)
                    more.append((body, sig))
                elif known.head_at(seq) != entry_id(body):
                    raise Reject("auth", "own log")
        except Reject as e:
            raise Reject("auth", "own log") from e
        device = shown.devices.get(account.dev)
        if device is None or (device.revoked is None and shown.ended is None):
            raise Reject("auth", "own log")
        self._link.book.take(account.uid, more)


def _revocation(own: UserLog, began: int, hand: Hand, dev: DevId, now: int) -> Entry | None:
    """Drafts the entry that revokes the device `dev`, on the person's log `own`, dated `now` (the server's time, ms);
    sends nothing. The entry also has a new generation of the person's key for the devices that are left. `hand` signs:
    a device or the root key, with the seeds that it holds of earlier generations. `began` is the number of the log's
    newest entry when the caller first tried.

    None if `dev` was still active after entry `began` and no longer is: then nothing is left to do. Reject "device" if
    it was active neither then nor is now, "older" if the signing device was added later than `dev`, "puk" if `hand`
    holds no seed, by which the generations are linked."""
    if own.device_active(dev, began) is not None and own.device_active(dev, own.seq) is None:
        return None
    return user_drafts.revoke(own, hand, dev, now)[0]
