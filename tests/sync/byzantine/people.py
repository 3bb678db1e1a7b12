# SPDX-License-Identifier: EUPL-1.2
"""A person's log as the model reads it: which devices were active when, under which generation of keys. No signatures:
what counts is what a desk has in its store. Other tests check that it stores nothing false."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sync.trust.person.user_entry import UserEntry, device_id


@dataclass
class Person:
    """The facts of entries 0 … `len(heads) - 1`."""

    heads: list[bytes] = field(default_factory=list)
    root: bytes = b""
    added: dict[bytes, int] = field(default_factory=dict)
    revoked: dict[bytes, int] = field(default_factory=dict)
    generations: list[int] = field(default_factory=list)
    """The entry that made each generation."""
    by_agency: list[int] = field(default_factory=list)
    ended: int | None = None

    def read(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Continues with a longer copy of the same log."""
        for body, _ in entries[len(self.heads) :]:
            self._step(UserEntry.decode(body))

    def _step(self, entry: UserEntry) -> None:
        payload, seq = cast("list[Any]", entry.payload), len(self.heads)
        match entry.type:
            case "genesis":
                self.root = payload[0]
                self.added[device_id(self.root, payload[1][0])] = seq
            case "dev_add":
                self.added[device_id(self.root, payload[0][0])] = seq
            case "puk_rotate":
                self.generations.append(seq)
            case "dev_revoke":
                self.revoked[payload[0]] = seq
                if payload[2] is None:
                    self.by_agency.append(seq)
                else:
                    self.generations.append(seq)
            case "reset":
                self.ended = seq
        self.heads.append(entry.ident)

    def over(self, seq: int) -> bool:
        return self.ended is not None and self.ended <= seq

    def stood(self, dev: bytes, seq: int) -> bool:
        """Whether the device had been added by entry `seq`, revoked or not."""
        return self.added.get(dev, seq + 1) <= seq

    def active(self, dev: bytes, seq: int) -> bool:
        return self.stood(dev, seq) and not self.revoked.get(dev, seq + 1) <= seq and not self.over(seq)

    def lost_device(self, after: int, until: int) -> bool:
        return any(after < at <= until for at in self.revoked.values())

    def generation(self, seq: int) -> int | None:
        """The generation of keys to which others seal after entry `seq`; None if to none."""
        stands = [at for at in self.generations if at <= seq]
        if not stands or self.over(seq) or any(stands[-1] < at <= seq for at in self.by_agency):
            return None
        return len(stands)

    def ready(self, seq: int) -> bool:
        return 2 <= seq < len(self.heads) and not self.over(seq)
