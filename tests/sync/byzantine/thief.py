# SPDX-License-Identifier: EUPL-1.2
"""What those who have gone over can open together: with their devices' secrets, and everything that the server ever
received. Not the method of our program, but everything that the keys allow: every seal with every generation, every
link with every archive key, until nothing more is found."""

from typing import Any

from sync.crypto import aead
from sync.crypto.encoding import dec
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.trust.keys.epochs import Epoch, archive_commitment, seal_info
from sync.trust.person import user_drafts
from sync.trust.person.author import puk_key
from sync.trust.room.entries import RoomEntry
from tests.sync.byzantine.mischief import Traitor
from tests.sync.byzantine.people import Person
from tests.sync.byzantine.server import Server


class Thief:
    """`secrets`: every 32 B secret that the thieves have. `look` continues each time where it stopped."""

    def __init__(self, server: Server) -> None:
        self.secrets: set[bytes] = set()
        self.traitors: list[Traitor] = []
        self._server = server
        self._read_up_to = 0
        self._book = server.book
        self._people: dict[Uid, Person] = {}
        self._seals: dict[RoomId, dict[bytes, bytes]] = {}
        self._epochs: dict[tuple[RoomId, bytes], Epoch] = {}
        self._tried: set[tuple[object, ...]] = set()
        self._keys: dict[tuple[Uid, int], KemKey] = {}

    def joins(self, traitor: Traitor) -> None:
        self.traitors.append(traitor)
        for ring in traitor.rings.values():
            self.secrets |= {key for _, k, a in ring.all() for key in (k, a) if key is not None}

    def person(self, uid: Uid) -> Person:
        """The facts of the true log."""
        found, log = self._people.setdefault(uid, Person()), self._book.entries[uid]
        found.read(log)
        return found

    def look(self) -> None:
        """Puts everything that can be opened by now into `secrets`."""
        if not self.traitors:
            return
        self._read()
        self._book = self._server.book
        for traitor in self.traitors:
            self._generations(traitor)
        for (room, _), epoch in self._epochs.items():
            self._open_seals(room, epoch)
        found = -1
        while found != len(self.secrets):
            found = len(self.secrets)
            for (room, _), epoch in self._epochs.items():
                self._open_link(room, epoch)

    def _read(self) -> None:
        for data in self._server.received[self._read_up_to :]:
            match decode_client(data):
                case m.PutSeals(room=room, seals=seals):
                    self._seals.setdefault(RoomId(room), {}).update({H(s): s for s in seals})
                case m.Reseal(room=room, seal=sealed):
                    self._seals.setdefault(RoomId(room), {})[H(sealed)] = sealed
                case m.Append(room=room, entries=entries):
                    for entry in (RoomEntry.decode(e.body, lenient=True) for e in entries):
                        if entry.epoch is not None:
                            self._epochs[RoomId(room), entry.epoch.kc] = entry.epoch
        self._read_up_to = len(self._server.received)

    def _generations(self, traitor: Traitor) -> None:
        account, log = traitor.account, self._book.logs[traitor.uid]
        found = user_drafts.open_generations(log, account.dev, account.kem, account.puk_seeds)
        account.puk_seeds.update(found)
        for gen, seed in found.items():
            if (traitor.uid, gen) not in self._keys:
                self._keys[traitor.uid, gen] = puk_key(seed)

    def _attempts(self) -> list[tuple[Uid, int, KemKey]]:
        """Every key in place of every generation: two of them may be the same."""
        generations = {uid: range(1, len(log.puks) + 1) for uid, log in self._book.logs.items()}
        return [(uid, gen, key) for (uid, _), key in self._keys.items() for gen in generations[uid]]

    def _open_seals(self, room: RoomId, epoch: Epoch) -> None:
        for digest, sealed in self._seals.get(room, {}).items():
            for uid, gen, key in self._attempts():
                attempt = (digest, epoch.kc, key, gen)
                if attempt in self._tried:
                    continue
                self._tried.add(attempt)
                try:
                    opened = key.open(seal_info(room, epoch.e, epoch.kc, uid, gen), sealed)
                except Reject:
                    continue
                self.secrets |= {opened[:32], opened[32:]} - {b""}

    def _open_link(self, room: RoomId, epoch: Epoch) -> None:
        if ("link", epoch.kc) in self._tried or epoch.base is None:
            return
        for a in [s for s in self.secrets if archive_commitment(room, epoch.e, s) == epoch.ac]:
            self._tried.add(("link", epoch.kc))
            opened = aead.decrypt(kdf(a, "prev", room, epoch.e), ["prev", room, epoch.e, epoch.base], epoch.prev)
            older: Any = dec(opened, limit=1 << 20)
            self.secrets |= {older[0], *(k for k in older[1].values() if k is not None)}
