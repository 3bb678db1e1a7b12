# SPDX-License-Identifier: EUPL-1.2
"""A crowbar: tries every key in a client's profile on every envelope and seal in the server's folder.

    python -m tests.demo.prise SERVER-FOLDER PROFILE-FOLDER   (stdin: passphrase, a later text, an earlier text)

A server's refusal protects nothing, so no server is asked: everything is read from its disk. All seals are tried with
all of the person's keys under every name, all links between epochs are walked, and each key so won is tried on each
envelope, whatever epoch the envelope says it belongs to. Prints what was won in the rooms that the person was ever in,
and as `strange` in all others. It knows the formats, unlike the driver.
"""

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.bootstrap import Office
from app.kinds import KINDS
from app.personal import PERSONAL
from app.profile import Profile
from app.store.opening import open_store
from app.store.store import Store
from sync.client.account.account_secrets import Account
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.trust.formats.items import ENTRY
from sync.trust.keys.epochs import Epoch, KeyRing, open_seal, walk_back
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, ObjectKeys, decrypt_op, read_body, root_share

ROOMS = "SELECT room FROM rooms"


@dataclass
class Loot:
    """What a room gave up. `newest` is its last epoch: the one that a removed member must not have."""

    newest: int = 0
    opened: list[tuple[int, bytes]] = field(default_factory=list)
    closed: int = 0


def rows(server: Path, query: str, *values: object) -> Iterator[tuple[bytes, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{server / 'server.sqlite3'}?mode=ro", uri=True)) as database:
        yield from database.execute(query, values)


def epochs_of(server: Path, room: bytes) -> dict[int, Epoch]:
    """Every epoch that the room's log names."""
    found: dict[int, Epoch] = {}
    for (body,) in rows(server, "SELECT body FROM items WHERE room = ? AND kind = ? ORDER BY n", room, ENTRY):
        epoch = RoomEntry.decode(body).epoch
        if epoch is not None:
            found[epoch.e] = epoch
    return found


def ring_of(server: Path, room: RoomId, epochs: dict[int, Epoch], account: Account, store: Store) -> KeyRing:
    """Every key that can be had: those stored, those in any seal, those behind any link."""
    ring = KeyRing(room, store.keys(room))
    for number, uid, sealed in rows(server, "SELECT epoch, uid, seal FROM seals WHERE room = ?", room):
        epoch = epochs[int(number)]
        for generation in account.puk_seeds:
            puk = account.puk(generation)
            assert puk is not None
            for name in {bytes(account.uid), uid}:
                with contextlib.suppress(Reject):
                    ring.add(epoch.e, *open_seal(room, epoch, Uid(name), generation, puk, sealed))
    for epoch in sorted(epochs.values(), key=lambda epoch: -epoch.e):
        with contextlib.suppress(Reject):
            walk_back(room, epoch, epochs, ring)
    return ring


def open_room(server: Path, room: RoomId, account: Account, store: Store) -> Loot:
    epochs = epochs_of(server, room)
    ring = ring_of(server, room, epochs, account, store)
    # Shares are no secret from whoever holds the server's disk.
    shares = {obj: share for obj, share in rows(server, "SELECT obj, share FROM shares WHERE room = ?", room) if share}
    shares[bytes(room)] = root_share(room)
    loot = Loot(newest=max(epochs))
    for body, ct in rows(server, "SELECT body, ct FROM items WHERE room = ? AND kind != ? ORDER BY n", room, ENTRY):
        hdr, _, _ = read_body(body)
        header = Header.decode(hdr)
        plain = _try_all(ring, room, header, hdr, ct, shares)
        if plain is None:
            loot.closed += 1
        else:
            loot.opened.append((header.epoch, plain))
    return loot


def _try_all(
    ring: KeyRing, room: RoomId, header: Header, hdr: bytes, ct: bytes, shares: dict[bytes, bytes]
) -> bytes | None:
    for _, content, archive in ring.all():
        for secret in (content, archive):
            if secret is None:
                continue
            for e in range(1, header.epoch + 1):
                key = ObjectKeys(room).key(secret, e, header.obj, shares[bytes(header.obj)], header.kind)
                with contextlib.suppress(Reject):
                    return decrypt_op(key, hdr, ct)
    return None


def main() -> int:
    server, profile_folder = Path(sys.argv[1]), Path(sys.argv[2])
    passphrase, later, earlier = sys.stdin.read().split("\n")[:3]
    profile = Profile.open(profile_folder.name, profile_folder.parent.parent)
    office = Office(profile)
    store = open_store(profile, office.slots, office.slots.unlock_passphrase(passphrase), {k.id: k for k in KINDS})
    secrets = store.load_account()
    assert secrets is not None
    account = Account.decode(secrets)
    known = {bytes(room) for room, _ in store.rooms()}
    alone = {bytes(o.room) for o in store.objects.all(kind=PERSONAL)}  # its own room, which nobody removed it from
    rooms = [room for (room,) in rows(server, ROOMS)]
    every = [(room in known, open_room(server, RoomId(room), account, store)) for room in rooms]
    loots = [loot for (mine, loot), room in zip(every, rooms, strict=True) if mine and room not in alone]
    opened = [(epoch, plain, loot) for loot in loots for epoch, plain in loot.opened]
    counts = {
        "earlier": sum(epoch < loot.newest for epoch, _, loot in opened),
        "later": sum(epoch == loot.newest for epoch, _, loot in opened),
        "strange": sum(len(loot.opened) for mine, loot in every if not mine),
        "closed": sum(loot.closed for loot in loots),
        "texts_earlier": sum(earlier.encode() in plain for _, plain, _ in opened),
        "texts_later": sum(later.encode() in plain for _, plain, _ in opened),
    }
    store.close()
    profile.close()
    print(*(f"{name}={count}" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
