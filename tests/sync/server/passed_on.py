# SPDX-License-Identifier: EUPL-1.2
"""Ephemeral messages (which the server passes on and does not store), and who has received them."""

from sync.crypto.encoding import enc
from sync.crypto.kdf import H
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.trust.room.ephemeral import DOMAIN, PRESENCE, TO_ALL, VERSION
from tests.sync.server.wire import Person, now

CT = b"ct"


def ephemeral(
    person: Person,
    room: bytes,
    kind: int = PRESENCE,
    to: bytes = TO_ALL,
    *,
    ct: bytes = CT,
    named: bytes | None = None,
    uid: bytes | None = None,
    dev: bytes | None = None,
    session: bytes = bytes(16),
    version: int = VERSION,
) -> m.Ephemeral:
    """A message that `person` has signed; `named`, `uid` and `dev`: what its header names instead of `room` and of the
    person's own ids. Its content is not encrypted."""
    author = (uid or person.uid, dev or person.author.dev)
    body = enc([version, named or room, 1, *author, session, 1, now(), kind, to, H(ct)])
    return m.Ephemeral(room, body, person.author.signing.sign(DOMAIN, body), ct)


async def send(person: Person, *frames: m.Ephemeral) -> None:
    """Sends `frames`, and returns when the server has passed them on or dropped them."""
    for frame in frames:
        await person.wire.socket.send(encode(frame))
    await been_served(person)


async def received(person: Person) -> list[m.Ephemeral]:
    """The ephemeral messages that the server has sent to `person` since the last call."""
    await been_served(person)
    unasked = [person.wire.unasked.get_nowait() for _ in range(person.wire.unasked.qsize())]
    return [frame for frame in unasked if isinstance(frame, m.Ephemeral)]


async def been_served(person: Person) -> None:
    """Waits for an answer, which comes after everything that was queued for the connection before."""
    await person.wire.ask(m.Devices(person.wire.rid()), m.DevicesReply)
