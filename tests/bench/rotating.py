# SPDX-License-Identifier: EUPL-1.2
"""What a rotation and an addition cost the member who makes them, by the number of members, beside one bare seal."""

import os
import time
from collections.abc import Callable

from sync.crypto.seal import KemKey, seal_to
from sync.trust.formats.items import Role
from tests.bench.registry import Figure, bench, median
from tests.sync.trust.people import Office, Room, Someone

SIZES = (10, 100, 2000)
ROUNDS = {10: 20, 100: 10, 2000: 3}
_SEALS = 500
_NAMES = [f"{action}_{size}_ms" for action in ("rotate", "add") for size in SIZES]


@bench("raw_seal_us", *_NAMES)
def rotating() -> list[Figure]:
    """Recipients, seals, tree, entry and signature; without network, and without the server's own look at it."""
    office = Office()
    founder = office.hire("Handläggare")
    room, raw_us = Room.founded(office, founder), _raw_seal_us()
    figures = [
        Figure(name="raw_seal_us", value=raw_us, unit="us", n=_SEALS, note="HPKE, ML-KEM-768 + X25519, 64 bytes")
    ]
    found: dict[str, Figure] = {}
    for size in SIZES:
        _fill(room, founder, size)
        stranger = office.hire("Registrator")
        drafter = room.drafter(founder)
        bare = f"; its seals alone: {size * raw_us / 1000:.1f} ms"
        found[f"rotate_{size}_ms"] = _figure(f"rotate_{size}_ms", drafter.rotate, ROUNDS[size], f"{size} members{bare}")
        found[f"add_{size}_ms"] = _figure(
            f"add_{size}_ms",
            lambda drafter=drafter, uid=stranger.uid: drafter.add(uid, Role.WRITER, history=True),  # type: ignore[misc]
            20,
            f"one more with the history, to {size} members; one seal: {raw_us / 1000:.3f} ms",
        )
    return [*figures, *(found[name] for name in _NAMES)]


def _fill(room: Room, founder: Someone, size: int) -> None:
    while len(room.stream.members) < size:
        who = room.office.hire("Handläggare")
        room.append(founder, room.drafter(founder).add(who.uid, Role.WRITER, history=True))


def _raw_seal_us() -> float:
    public = KemKey(os.urandom(32)).public
    samples = []
    for _ in range(_SEALS):
        began = time.perf_counter()
        seal_to(public, b"info", bytes(64))
        samples.append((time.perf_counter() - began) * 1e6)
    return median(samples)


def _figure(name: str, action: Callable[[], object], rounds: int, note: str) -> Figure:
    samples = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        samples.append((time.perf_counter() - began) * 1000)
    return Figure(name=name, value=median(samples), unit="ms", n=rounds, note=note)
