# SPDX-License-Identifier: EUPL-1.2
"""What a room at a new position still lacks: content that was not given, keys, shares, and ranges that were pruned.

It opens and stores whatever can be opened with what was fetched. What is fetched of keys and of snapshots is decided in
missing_keys.py, missing_shares.py and backfill.py.
"""

from sync.client.exchange.backfill import Backfill
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.missing_shares import Shares
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.errors import Refused, Reject
from sync.protocol import messages as m
from sync.trust.formats.items import Item
from sync.trust.room.state_codec import STATE_TOO_LARGE


class MissingContent:
    """Fetches what a room still lacks once it is verified up to a new position: content that the server did not give,
    keys, objects' secrets, and snapshots in place of pruned changes (deleted at the server). One room at a time."""

    def __init__(self, link: Link, verifier: ReceiptVerifier, seals: Seals, shares: Shares, backfill: Backfill) -> None:
        self._link, self._verifier = link, verifier
        self._seals, self._shares, self._backfill = seals, shares, backfill

    async def fetch(self, room: RoomSync, *, pulled: bool) -> bool:
        """Fetches and stores what `room` still lacks at its new position: content, keys, objects' secrets, and
        snapshots in place of pruned changes (deleted at the server). `pulled`: the room was pulled up to the server's
        last position; then also asks again for keys that the server did not have before. False if this stopped the room
        as WITHHELD, because the server does not give content; True also if keys are still missing. Unreachable if the
        connection is lost."""
        found = False
        if room.bootstrap_buffer is not None:
            found = await self._seals.fetch_missing(room, retry=pulled)
            if not await self.bootstrap(room):
                return False
        if not await self._refill(room):
            return False
        found = await self._seals.fetch_missing(room, retry=pulled) or found
        if await self._open_waiting(room) or found:
            self._backfill.allow_retry(room.room)
        if room.incomplete and room.caught_up:
            await self._fetch_pruned(room)
        return True

    async def bootstrap(self, room: RoomSync) -> bool:
        """Completes the first reading of `room` by a newcomer (a new member or device). What was pulled of the room so
        far is only in memory: headers, whose content is fetched now as far as it is needed, or whole items. Opens what
        this device has keys for, and stores all of it; the room is then followed as usual. ▲ False if the server
        refuses the content of items that it has shown, or gives other content: the room is stopped as WITHHELD. True
        otherwise, also if nothing was left to complete. Unreachable; Reject STATE_TOO_LARGE for a state that could not
        be read again."""
        was_held = room.bootstrap_buffer is not None
        try:
            with self._link.kept(room):
                await self._backfill.bootstrap(room)
                if room.bootstrap_buffer is not None:
                    with self._verifier.stored_with(room, self._verifier.agreed(room)) as proven:
                        for received in room.open_bootstrap_buffer(proven()):
                            await self._link.ports.receive_apart(received)
        except (Refused, Reject) as e:
            if isinstance(e, Reject) and (e.code, e.where) == STATE_TOO_LARGE:  # no lie of the server: see `Link.apart`
                raise
            self._verifier.stop(self._link.room(room.room), RoomState.WITHHELD, e.code)
            return False
        if was_held:
            room.record_alarm()
        self._link.notify_moved()
        return True

    async def resolve(self, room: RoomSync, shares: list[m.WireShare]) -> None:
        """Decrypts and stores the items of `room` that wait for a key or a share, as far as they can be opened now.
        `shares` are objects' secrets that the server just gave. Those that are new, and have the hash that the room's
        log states, are stored too; any others are ignored."""
        with self._link.kept(room):
            for received in room.resolve(shares):
                await self._link.ports.receive_apart(received)
        self._link.listener.on_room(room.room)

    async def _refill(self, room: RoomSync) -> bool:
        """Asks the server again for content of `room` that it did not give: it may give it now. ▲ If content is still
        missing although no destroy or prune explains it, the room is stopped as WITHHELD, and this returns False. A
        refusal counts as not given. Does nothing, and returns True, while not all that the server announced of the room
        is stored. Unreachable if the connection is lost."""
        if room.caught_up:
            await self._ask_again(room)
        if room.caught_up and room.stream.withheld():
            self._verifier.stop(room, RoomState.WITHHELD, "withheld")
            return False
        return True

    async def _ask_again(self, room: RoomSync) -> None:
        for n in room.stream.withheld():
            try:
                shown = (await self._link.pull(room.room, n - 1)).items[:1]
            except Refused:
                return
            for i in shown:
                for received in room.refill(Item.of(i), n):
                    await self._link.ports.receive_apart(received)

    async def _open_waiting(self, room: RoomSync) -> bool:
        """Decrypts and stores the items of `room` that wait for a key or for the secret of their object, after fetching
        the keys and secrets that the server has. True if a key was fetched: the caller then tries again the snapshots
        that could not be opened. False also if only secrets were. A refusal is only logged; Unreachable if the
        connection is lost."""
        found = False
        if room.waiting:
            await self.resolve(room, [])  # first, since after a restart only trying shows what is missing
            if await self._seals.fetch_missing(room, retry=False):
                found = True
                await self.resolve(room, [])
        shares = await self._shares.ask(room)
        if shares:
            await self.resolve(room, shares)
        return found

    async def _fetch_pruned(self, room: RoomSync) -> None:
        await self._backfill.fetch_pruned(room)
        if room.incomplete and await self._seals.fetch_missing(room, retry=False):  # the snapshot's key was missing
            self._backfill.allow_retry(room.room)
            await self._backfill.fetch_pruned(room)
