# SPDX-License-Identifier: EUPL-1.2
"""A person's recovery sheet: made, replaced, and what others ask with it (protocol §11).

Its code is shown and typed back first. Then the code and a share that is drawn for it are kept until the log has both
entries of the sheet, and erased together with the root key. From then on the root key is on the paper alone, and the
share is with the agency alone.
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
from sync.trust.person.user_log import ROOT, UserLog

log = logging.getLogger("sync")

ADD, REVOKE = "add", "revoke"
VETO_MS = 86_400_000
"""How long the person's other devices may veto a recovery, in ms (protocol §11)."""
_MAX_FIRST_SEEN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """Somebody has the sheet and wants a device `dev` in ("add") or gone ("revoke"), from `ready` (ms) on.

    `vetoed`: one of this person's devices said no. `came`: the server has let the device in already, but by this
    device's own clock the day for a veto is not over. A veto then revokes the device.
    """

    what: str
    dev: DevId
    ready: int
    vetoed: bool
    mine: bool
    """It is this device that is to go."""
    came: bool = False


class RecoverySheet:
    """Raises Unreachable while offline, Refused and Reject by their codes."""

    def __init__(self, link: Link, devices: Devices) -> None:
        self._link = link
        self._devices = devices
        self._asked: list[m.RecoveryRequest] = []
        self._first_seen = _read_first_seen(link.ports.recovery_first_seen())
        """By device that somebody wants to add: when this device first learned of it, by its own clock (ms)."""
        self._finishing = asyncio.Lock()

    # -- making one

    @property
    def in_force(self) -> bool:
        """Whether the person's log names a sheet."""
        return self._devices.own_log.recovery_sheet is not None and not self._link.account.recovery_sheet

    @property
    def may_make(self) -> bool:
        """Whether one can be made here: the root key lies at the device that was first, or on the sheet in force."""
        return self.in_force or bool(self._link.account.secrets.root)

    @property
    def needs_old(self) -> bool:
        """Whether the sheet in force must be typed to make another: the root key is nowhere else."""
        return not self._link.account.secrets.root

    def check_old(self, text: str) -> None:
        """Reject "code" if it is mistyped, "recovery-sheet" if it is not the sheet in force."""
        if RecoveryCode.parse(text).root.public != self._devices.own_log.root_pk:
            raise Reject("recovery-sheet", "root")

    async def publish(self, code: str, old: str = "") -> None:
        """The sheet `code` is the person's from now on; `old` is the one before where that is needed. Twice does no
        harm.

        ▲ What is needed to finish is kept before the first entry is sent. Nothing is lost by a cut: `finish`. ▲ Another
        sheet that waits to be finished is finished first: the server may have it, and then its key is the root's.
        """
        recovery_sheet = RecoveryCode.parse(code)
        self._link.online  # noqa: B018 - Unreachable before anything is kept
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
        """Whether that sheet was confirmed here and is not wholly in the log yet: it will be when the server answers,
        and must not be thrown away."""
        waits = self._link.account.recovery_sheet
        return bool(waits) and RecoveryPair.of(waits).code == RecoveryCode.parse(code)

    async def finish(self) -> None:
        """Goes on with a sheet that was confirmed and is not wholly in the log. Nothing happens if there is none.

        ▲ The root key is erased here only when the log has the whole sheet.
        """
        async with self._finishing:
            await self._finish()

    async def _finish(self) -> None:
        if self._link.account.recovery_sheet:
            await self._enter()
            self._keep(b"", b"")
            log.info("recovery sheet in force")

    async def _enter(self) -> None:
        """Brings what is kept into the log."""

        async def attempt() -> None:
            self._devices.check_active()
            account, escrow_pk = self._link.account, await self._escrow()
            pair, root, now = (
                RecoveryPair.of(account.recovery_sheet),
                SigningKey(account.secrets.root),
                self._link.server_now_ms,
            )
            try:
                entries = user_drafts.new_recovery_sheet(
                    self._devices.own_log, root, pair, escrow_pk, account.puk_seeds, now
                )
            except Reject as e:
                if e.code == "recovery-sheet":  # another sheet was made meanwhile: this one is nobody's
                    self._keep(b"", b"")
                raise
            if entries:
                await self._devices.append(entries)

        await again(attempt, self._devices.follow_now)

    async def _escrow(self) -> bytes:
        """▲ The key to seal the share to, which the agency's key must have certified; Reject "escrow" otherwise. The
        server could open a share that is sealed to a key of its own."""
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

    # -- what is asked with it

    def replace_attempts(self, asked: list[m.RecoveryRequest]) -> None:
        """Replaces the attempts that wait at the server, and stores when each was first seen here."""
        self._asked = list(asked)
        now = self._link.now_ms()
        waiting = [DevId(a.dev) for a in asked if a.what == ADD]
        kept = {dev: t for dev, t in self._first_seen.items() if dev in waiting or now - t < VETO_MS}
        kept |= {dev: now for dev in waiting[: _MAX_FIRST_SEEN - len(kept)] if dev not in kept}
        if kept != self._first_seen:
            self._first_seen = kept
            self._link.ports.keep_recovery_first_seen(enc([[dev, t] for dev, t in kept.items()]))

    @property
    def asked(self) -> list[AskedFor]:
        """The attempts with the recovery sheet that a veto still stops or undoes.

        ▲ A device that the server let in is listed until a day has passed by this device's own clock. Otherwise a
        server whose clock is set ahead could end the time for a veto at once.
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
        """Says no. ▲ It is kept: if the device comes in all the same, the server has hidden it, and `defend` acts."""
        try:
            if asked.what == ADD:
                account = self._link.account
                vetoed = tuple(dict.fromkeys((*account.vetoed, asked.dev)))
                self._link.account = replace(account, vetoed=vetoed)
                self._link.ports.save_account(self._link.account.encode())
        finally:  # a full disk keeps nobody from saying it
            await self._link.online.request(lambda rid: m.Veto(rid=rid, what=asked.what, dev=asked.dev), m.Ok)
        await self._devices.follow(self._link.online)
        await self.defend()  # it may have come in a moment before

    async def defend(self) -> None:
        """▲ Revokes a device that came in by the sheet although a person here said no."""
        own = self._devices.own_log
        for dev in self._link.account.vetoed:
            if own.device_active(dev, own.seq) is not None and self._devices.ended is None:
                log.error("a device came in over a veto")
                await self._devices.revoke(dev)

    async def revoke(self, dev: DevId, code: str) -> int | None:
        """Revokes any device by the sheet: None when that is done, or from when it may be (ms): ask again then."""
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
