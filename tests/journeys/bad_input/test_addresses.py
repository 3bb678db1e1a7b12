# SPDX-License-Identifier: EUPL-1.2
"""Addresses that cannot be reached, certificates of another authority, servers of another version or agency, and clocks
that are off."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from app.bootstrap import Office
from app.core import clock
from app.core.enums import LinkState
from app.profile import Profile
from app.settings import CA_FILE
from sync.client.status import RoomState
from sync.client.wire.route import Route
from sync.crypto.tls import make_ca
from sync.errors import BadAddress
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, encode
from sync.protocol.version import WIRE_MAX
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from tests.journeys.bad_input.checks import HELLO, address_of, explained, nothing_lost, reconnect, two
from tests.journeys.bad_input.signing_in import DAY_MS, MINUTE_MS, new_desk, refusal, still_new
from tests.journeys.desks import Offices
from tests.world import Client, World, until

# -- addresses, certificates, versions -------------------------------------------------------------------------


async def test_an_unreachable_server_at_first_start(o: Offices) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    await o.w.stop_server()
    explained(await refusal(desk, code), "unreachable")
    await o.w.start_server()
    await still_new(o, desk, code)


async def test_an_unreachable_server_later(w: World) -> None:
    a, _b, room, obj = await two(w)
    await w.stop_server()
    await until(lambda: a.engine.status.state is LinkState.OFFLINE)
    explained(a.engine.status.code, "unreachable")
    a.say(room, obj, HELLO)
    await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)
    await w.start_server()
    a.online()
    await w.settle(room)


async def test_a_certificate_of_another_authority_at_first_start(o: Offices) -> None:
    other = o.w.folder / "other.pem"
    other.write_bytes(make_ca("Annan").cert)
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    desk.office.settings.set(CA_FILE, str(other))
    explained(await refusal(desk, code), "certificate")
    desk.office.settings.set(CA_FILE, str(o.w.data / "ca.pem"))
    await still_new(o, desk, code)


async def test_a_certificate_of_another_authority_later(w: World) -> None:
    a, _b, room, obj = await two(w)
    other = w.folder / "other.pem"
    other.write_bytes(make_ca("Annan").cert)
    right, a.wire.route = a.wire.route, Route(ca_file=other)
    await a.wire.hang_up()
    a.engine.retry_now()
    await until(lambda: a.engine.status.state is LinkState.ERROR)
    explained(a.engine.status.code, "certificate")
    a.say(room, obj, HELLO)
    await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)
    a.wire.route = right
    a.online()
    await w.settle(room)


@pytest.mark.parametrize(
    ("address", "flag"),
    [
        ("http://kansli.myndighet.example", True),
        ("http://192.168.1.10:8080", True),
        ("http://localhost:8080", False),
        ("ftp://kansli.example", False),
        ("kansli.example:99999999", False),
        ("", False),
    ],
)
async def test_plain_http_is_refused_but_on_loopback_by_an_explicit_flag(
    tmp_path: Path, address: str, flag: bool
) -> None:
    profile = Profile.open(root=tmp_path)
    office = Office(profile, insecure_loopback=flag)
    with pytest.raises(BadAddress) as e:
        await office.look_up(address, "0000")
    explained(e.value.code, "bad-address")
    assert office.is_new
    profile.close()


@asynccontextmanager
async def other_peer(w: World, answer: Callable[[m.ClientFrame], m.Frame]) -> AsyncIterator[int]:
    """A small real server with our certificate that answers the first frame in its own way."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(w.data / "tls.pem", w.data / "tls.key")

    async def talk(socket: ServerConnection) -> None:
        data = await socket.recv()
        assert isinstance(data, bytes)
        await socket.send(encode(answer(decode_client(data))))
        await socket.wait_closed()

    async with serve(talk, "localhost", 0, ssl=tls, compression=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def _version_99(w: World) -> m.ServerHello:
    """What a server of protocol 99 says, truly of our agency."""
    identity = read_identity(w.data, now_ms())
    return m.ServerHello(99, bytes(32), now_ms(), identity.agency_pk, identity.cert)


async def nothing_is_lost_by(w: World, answer: m.ServerFrame, code: str) -> None:
    """A server at the right address that answers like this is explained by `code`; what is written meanwhile reaches
    everybody from the right server."""
    a, b, room, obj = await two(w)
    right = a.wire.address
    async with other_peer(w, lambda frame: answer) as port:
        a.wire.address = address_of(port)
        await a.wire.hang_up()
        a.engine.retry_now()
        await until(lambda: a.engine.status.state is LinkState.ERROR)
        explained(a.engine.status.code, code)
        a.say(room, obj, HELLO)
        await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)
    a.wire.address = right
    a.online()
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO


@pytest.mark.parametrize("how", ["refuses", "chooses"])
async def test_a_server_of_a_newer_protocol_asks_for_an_update(w: World, how: str) -> None:
    answer = m.Error(0, m.ErrorCode.VERSION, "98-99") if how == "refuses" else _version_99(w)
    await nothing_is_lost_by(w, answer, "update-needed")


async def test_a_server_of_another_agency_behind_the_right_address(w: World) -> None:
    other = w.folder / "other"
    admin.init(other, keys=w.folder / "other keys", demo_ca=["localhost"])
    theirs = read_identity(other, now_ms())
    hello = m.ServerHello(WIRE_MAX, bytes(32), now_ms(), theirs.agency_pk, theirs.cert)
    await nothing_is_lost_by(w, hello, "wrong-agency")


# -- clocks ----------------------------------------------------------------------------------------------------


def set_clock(client: Client, off_ms: int) -> None:
    client.engine.parts.link.now_ms = lambda: clock.now_ms() + off_ms


@pytest.mark.parametrize("off_ms", [3 * DAY_MS, -3 * DAY_MS, 11 * MINUTE_MS, -11 * MINUTE_MS])
async def test_a_clock_that_is_off_is_told_and_loses_nothing(w: World, off_ms: int) -> None:
    a, b, room, obj = await two(w)
    set_clock(a, off_ms)
    await a.wire.hang_up()
    a.engine.retry_now()
    await until(lambda: a.engine.status.state is LinkState.ERROR)
    explained(a.engine.status.code, "clock-off")
    a.say(room, obj, HELLO)
    await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)  # restarts with a clock that is right
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO


@pytest.mark.parametrize("off_ms", [9 * MINUTE_MS, -9 * MINUTE_MS])
async def test_a_clock_some_minutes_off_does_no_harm(w: World, off_ms: int) -> None:
    a, b, room, obj = await two(w)
    set_clock(a, off_ms)
    await reconnect(a)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    a.say(room, obj, HELLO)
    await w.settle(room)
    a.engine.send_ephemeral(room, b"skriver")
    b.engine.send_ephemeral(room, b"skriver med")
    await until(lambda: b.ephemerals == [b"skriver"] and a.ephemerals == [b"skriver med"])
    await a.engine.operations.rotate(room)
    await w.settle(room)
    await until(lambda: b.engine.room_state(room) is RoomState.SEALED)
