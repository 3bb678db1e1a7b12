# SPDX-License-Identifier: EUPL-1.2
"""A person's recovery sheet: made, replaced, and the requests that others make with it (protocol §11).

Its code is shown and typed back first. Then the code and a share that is drawn for it are stored until the log has both
entries of the recovery sheet, and erased together with the root key. From then on the root key is only on the paper,
and the share only with the agency.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from sync.client.account.compare_and_swap import again
from sync.client.devices.own_devices import Devices
from sync.client.link import Link
from sync.crypto.encoding import dec, enc
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId
from sync.protocol import messages as m
from sync.trust.formats import fields
from sync.trust.person import user_drafts
from sync.trust.person.escrow_key import check_escrow
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare
from sync.trust.person.user_entry import ROOT
from sync.trust.person.user_log import UserLog

log = logging.getLogger("sync")

ADD, REVOKE = "add", "revoke"
VETO_MS = 86_400_000
"""How long the person's other devices may veto a recovery, in ms (protocol §11)."""
_MAX_FIRST_SEEN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """A request that somebody made with this person's recovery sheet: to add ("add") or revoke ("revoke") the device
    `dev`, from `ready` on (the server's time, ms).

    `vetoed`: one of this person's devices said no. `came`: the server has let the device in already, but by this
    device's own clock, by which `ready` then counts, the day for a veto is not over. A veto then revokes the device.
    """

    what: str
    dev: DevId
    ready: int
    vetoed: bool
    mine: bool
    """It is this device that would be revoked."""
    came: bool = False


class RecoverySheet:
    """This person's recovery sheet: a paper with a code that brings the account back when all devices are lost. Makes
    and replaces it, and lists and vetoes what is requested with it. Raises Unreachable while offline; Refused if the
    server refuses, or if this device has ended ("revoked", "reset"); Reject if a typed code or an answer of the server
    is not valid."""

    def __init__(self, link: Link, devices: Devices) -> None:
        self._link = link
        self._devices = devices
        self._asked: list[m.RecoveryRequest] = []
        self._first_seen = _read_first_seen(link.ports.recovery_first_seen())
        """For each device that a recovery sheet is to add: when this device first learned of it, by its own
        clock (ms)."""
        self._finishing = asyncio.Lock()

    # -- making a recovery sheet

    @property
    def in_force(self) -> bool:
        """Whether the person's log names a recovery sheet, and no other one is waiting here to be finished."""
        return self._devices.own_log.recovery_sheet is not None and not self._link.account.recovery_sheet

    @property
    def may_make(self) -> bool:
        """Whether a recovery sheet can be made here: this device stores the root key, as the first device does, or the
        root key is on the recovery sheet in force, whose code must then be typed (`needs_old`). If it is False there is
        no recovery sheet yet, and only the person's first device can make one."""
        return self.in_force or bool(self._link.account.secrets.root)

    @property
    def needs_old(self) -> bool:
        """Whether the code of the recovery sheet in force must be typed to make another, because the root key is stored
        nowhere on this device. True also if no recovery sheet is in force and the root key is not here: then none can
        be made here (`may_make` is False)."""
        return not self._link.account.secrets.root

    def check_old(self, text: str) -> None:
        """Reject `code` if `text`, the code of a recovery sheet as typed, is mistyped, `recovery-sheet-format` if it is
        of format 1; `recovery-sheet` if it is not the one whose key is the root key in this person's log."""
        if RecoveryCode.parse(text).root.public != self._devices.own_log.root_pk:
            raise Reject("recovery-sheet", "root")

    async def publish(self, code: str, old: str = "") -> None:
        """Makes `code`, which is on a new paper, the code of the person's recovery sheet. `old` is the code of the
        former recovery sheet; it is read only if this device does not store the root key (`needs_old`). A second call
        does no harm. Reject `code` if one of them is mistyped, `recovery-sheet-format` if one is of format 1;
        `recovery-sheet` if `old` is not the one in force, or if another device made a recovery sheet first: then `code`
        counts for nothing; `escrow` if the agency has not certified the server's key for the share. Refused "revoked"
        or "reset" if this device has ended, or with the server's code. Unreachable while offline: then nothing is
        stored.

        ▲ What is needed to finish is stored before the first entry is sent, so an interruption loses nothing: `finish`.

        ▲ If an earlier recovery sheet is not finished, it is finished first: the server may have its first entry, by
        which its key is the root key. If that fails, `code` is not stored.
        """
        recovery_sheet = RecoveryCode.parse(code)
        self._link.online  # noqa: B018 - Unreachable before anything is stored
        async with self._finishing:
            own, waits = self._devices.own_log, self._link.account.recovery_sheet
            if waits and RecoveryPair.of(waits).code != recovery_sheet:
                await self._enter()
                self._keep_new(RecoveryPair.of(waits).code.root_seed, recovery_sheet)
            elif not waits and (own.root_pk, own.recovery_sheet_in_force) != (recovery_sheet.root.public, True):
                self._keep_new(self._root(old), recovery_sheet)
            await self._finish()

    def _root(self, old: str) -> bytes:
        root = self._link.account.secrets.root
        if not root:
            self.check_old(old)
            root = RecoveryCode.parse(old).root_seed
        return root

    def _keep_new(self, root: bytes, recovery_sheet: RecoveryCode) -> None:
        if SigningKey(root).public != self._devices.own_log.root_pk:
            raise Reject("recovery-sheet", "root")
        self._keep(root, RecoveryPair(recovery_sheet, RecoveryShare.fresh()).secret)

    def waits(self, code: str) -> bool:
        """Whether the recovery sheet with this `code` was confirmed here and is not completely in the log yet. This
        device tries on each connection to enter the rest, so the paper must not be thrown away. False also once this
        device has learned that another recovery sheet was made first. While one waits here, Reject `code` if `code` is
        mistyped, `recovery-sheet-format` if it is of format 1."""
        waits = self._link.account.recovery_sheet
        return bool(waits) and RecoveryPair.of(waits).code == RecoveryCode.parse(code)

    async def finish(self) -> None:
        """Appends to this person's key log what is missing there of a recovery sheet that the person confirmed on this
        device. Called on each connection. Does nothing if there is none. Reject `recovery-sheet` if another one was
        made first, `escrow` if the agency has not certified the server's key for the share; Refused "revoked" or
        "reset" if this device has ended, or with the server's code; Unreachable while offline.

        ▲ The root key is erased here only when the log has the complete recovery sheet, or when another one was made
        first, by which that key is the root key no more.
        """
        async with self._finishing:
            await self._finish()

    async def _finish(self) -> None:
        if self._link.account.recovery_sheet:
            await self._enter()
            self._keep(b"", b"")
            log.info("recovery sheet in force")

    async def _enter(self) -> None:
        """Appends to the log those entries for the recovery sheet that is stored in the account which are not in it
        yet; drafts them again if the log has grown. The caller then erases what is stored. Reject "recovery-sheet" if
        another recovery sheet was made first: the stored one is then erased, and the stored root key too. Reject
        "escrow" if the agency has not certified the server's key for the share; Refused "revoked" or "reset" if this
        device has ended, or with the server's code; Unreachable while offline: what is stored stays."""

        async def attempt() -> None:
            self._devices.check_active()
            account, escrow_pk = self._link.account, await self._escrow()
            own, now = self._devices.own_log, self._link.server_now_ms
            pair, root = RecoveryPair.of(account.recovery_sheet), SigningKey(account.secrets.root)
            try:
                entries = user_drafts.new_recovery_sheet(own, root, pair, escrow_pk, account.puk_seeds, now)
            except Reject as e:
                if e.code == "recovery-sheet":  # another recovery sheet was made first: this one is void
                    self._keep(b"", b"")
                raise
            if entries:
                await self._devices.append(entries)

        await again(attempt, self._devices.follow_now)

    async def _escrow(self) -> bytes:
        """▲ Asks the server for the public key to which the share (the half of the recovery sheet's secret that is not
        on the paper) is sealed. Reject "escrow" unless the agency's key, which the account has, certified it: a server
        could open a share that is sealed to a key of its own. Unreachable while offline."""
        reply = await self._link.online.request(lambda rid: m.Escrow(rid=rid), m.EscrowReply)
        try:
            return check_escrow(self._link.account.agency_pk, reply.cert.body, reply.cert.sig)
        except Reject as e:
            raise Reject("escrow", e.where) from e

    def _keep(self, root: bytes, recovery_sheet: bytes) -> None:
        account = self._link.account
        kept = replace(account, secrets=replace(account.secrets, root=root), recovery_sheet=recovery_sheet)
        self._link.ports.save_account(kept.encode())
        self._link.account = kept

    # -- requests made with it

    def replace_attempts(self, asked: list[m.RecoveryRequest]) -> None:
        """Replaces the list of pending requests that were made with the recovery sheet by `asked`, the server's newest
        list. Of those that add a device, stores when this device first saw them, by its own clock, for at most
        _MAX_FIRST_SEEN. Forgets such a time once it is a day old and its request is no longer listed. By these times
        the person has a day for a veto even if the server's clock is set ahead."""
        self._asked = list(asked)
        now = self._link.now_ms()
        waiting = dict.fromkeys(DevId(a.dev) for a in asked if a.what == ADD)
        kept = {dev: t for dev, t in self._first_seen.items() if dev in waiting or now - t < VETO_MS}
        new = [dev for dev in waiting if dev not in kept]  # ▲ the order of `asked` is the server's
        kept |= dict.fromkeys(new[: _MAX_FIRST_SEEN - len(kept)], now)
        if kept != self._first_seen:
            self._first_seen = kept
            self._link.ports.keep_recovery_first_seen(enc([[dev, t] for dev, t in kept.items()]))

    @property
    def asked(self) -> list[AskedFor]:
        """The requests made with the recovery sheet, to add or to revoke a device, that are pending, vetoed ones too;
        then the devices that such a request has added and that a veto can still revoke.

        ▲ A device that the server let in is listed until a day after its request was first seen, by this device's own
        clock, or until it is vetoed here. Otherwise a server whose clock is set ahead could end the time for a veto at
        once.
        """
        own, me = self._devices.own_log, self._link.account.dev
        waiting = [
            AskedFor(what=a.what, dev=DevId(a.dev), ready=a.ready, vetoed=bool(a.vetoed_by), mine=a.dev == me)
            for a in self._asked
            if (a.what == ADD and DevId(a.dev) not in own.devices)
            or (a.what == REVOKE and own.device_active(a.dev, own.seq) is not None)
        ]
        came = [
            AskedFor(what=ADD, dev=dev, ready=t + VETO_MS, vetoed=False, mine=False, came=True)
            for dev, t in self._first_seen.items()
            if self._link.now_ms() - t < VETO_MS and self._came_by_recovery_sheet(own, dev)
        ]
        return waiting + came

    def _came_by_recovery_sheet(self, own: UserLog, dev: DevId) -> bool:
        device = own.devices.get(dev)
        active = own.device_active(dev, own.seq) is not None
        return device is not None and device.by == ROOT and active and dev not in self._link.account.vetoed

    async def veto(self, asked: AskedFor) -> None:
        """Vetoes the request `asked` at the server. ▲ The veto of a new device is stored first: if the device is added
        all the same, the server has hidden the veto, and `defend` revokes the device; at once if it was added a moment
        before. Unreachable while offline, or Refused: what is stored stays, but the veto is not sent later by itself.
        Also the errors of `defend`; an error of the store is raised only after the veto was sent."""
        try:
            if asked.what == ADD:
                account = self._link.account
                vetoed = tuple(dict.fromkeys((*account.vetoed, asked.dev)))
                self._link.account = replace(account, vetoed=vetoed)
                self._link.ports.save_account(self._link.account.encode())
        finally:  # the veto is sent even if the disk is full
            await self._link.online.request(lambda rid: m.Veto(rid=rid, what=asked.what, dev=asked.dev), m.Ok)
        await self._devices.follow(self._link.online)
        await self.defend()  # it may have been added a moment before

    async def defend(self) -> None:
        """▲ Revokes each device that was added with the recovery sheet although the person vetoed it on this device.
        Called whenever this person's key log may have grown. Does nothing at a device that has ended (it was revoked,
        or the account was reset). If one cannot be revoked the call ends, and the next call tries again: Unreachable
        while offline, Refused (such as "busy": too many revocations in a day) or Reject."""
        own = self._devices.own_log
        for dev in self._link.account.vetoed:
            if own.device_active(dev, own.seq) is not None and self._devices.ended is None:
                log.error("a device was added despite a veto")
                await self._devices.revoke(dev)

    async def revoke(self, dev: DevId, code: str) -> int | None:
        """Revokes `dev`, any device of this person, also one older than this one, with the recovery sheet whose `code`
        is typed. Returns None when that is done; otherwise the server's time (ms) until which other devices may veto
        it: call it again then. Reject `code` if `code` is mistyped, `recovery-sheet-format` if it is of format 1,
        `recovery-sheet` if it is not the one in force, "device" if `dev` is not active. Refused "vetoed", "busy" (too
        many revocations in a day), or "revoked" or "reset" if this device has ended; Unreachable while offline."""
        self.check_old(code)
        return await self._devices.revoke_by_root(dev, RecoveryCode.parse(code).root)


def _read_first_seen(kept: bytes | None) -> dict[DevId, int]:
    if kept is None:
        return {}
    pairs = [
        fields.array(pair, 2, "first seen")
        for pair in fields.items(dec(kept, limit=4096), "first seen", _MAX_FIRST_SEEN)
    ]
    return {DevId(fields.raw(dev, 16, "first seen")): fields.u64(t, "first seen") for dev, t in pairs}
