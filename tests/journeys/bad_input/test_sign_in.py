# SPDX-License-Identifier: EUPL-1.2
"""Activation codes, addresses, certificates, versions, clocks, and an enrolment that is cut off in the middle."""

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from app.bootstrap import Office
from app.core import clock
from app.core.enums import LinkState, RoomType
from app.core.files import write_atomic
from app.errors import BugError, NotEnrolled, WeakPassphrase, WorldError
from app.profile import Profile
from app.session import Session
from app.settings import CA_FILE
from app.store.keyslots import new_key
from app.store.opening import create_store
from sync.client.account.enrolment import register
from sync.client.status import RoomState
from sync.client.wire.route import Route
from sync.crypto.tls import make_ca
from sync.errors import BadAddress, Refused, Reject, Unreachable
from sync.ids import Hash
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.host.identity import read_agency, read_identity
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import SignInCode, record_hash
from sync.trust.person.author import DeviceSecrets, new_user
from tests.journeys.bad_input.checks import HELLO, address_of, explained, nothing_lost, reconnect, two
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import Client, World, until

DAY_MS = 86_400_000
MINUTE_MS = 60_000


def new_desk(o: Offices, name: str = "Registrator") -> Desk:
    """A computer on which nobody has enrolled yet."""
    return Desk(o.w.folder / name, o.w.data / "ca.pem", o.w.dialer().address.name)


async def still_new(o: Offices, desk: Desk, code: str | None = None) -> None:
    """Nothing stays of the attempt, and the right code works."""
    assert desk.office.is_new
    assert desk.office.kinds() == []
    await desk.enrol(code or await o.w.invite("Registrator"))
    o.desks.append(desk)
    room = await desk.session.rooms.create("Åäö", RoomType.GROUP)
    assert desk.session.rooms.room(room).title == "Åäö"


async def refusal(desk: Desk, code: str) -> str:
    """The code of what looking up (or enrolling by) an activation code raises."""
    try:
        await _enrol(desk, code)
    except WorldError as e:
        return e.code
    pytest.fail("it was taken")


# -- codes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", [lambda c: c[:-1] + ("0" if c[-1] != "0" else "1"), lambda c: c[:-1], lambda c: ""])
async def test_a_mistyped_code(o: Offices, spoil: Callable[[str], str]) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    explained(await refusal(desk, spoil(code)), "code")
    await still_new(o, desk, code)


async def test_an_unknown_code(o: Offices) -> None:
    agency = SignInCode.parse(await o.w.invite("Registrator")).agency
    desk = new_desk(o)
    explained(await refusal(desk, SignInCode(bytes(16), agency).format()), "code-unknown")
    await still_new(o, desk)


async def test_a_used_code(o: Offices) -> None:
    code = await o.w.invite("Handläggare")
    first = new_desk(o, "Handläggare")
    await first.enrol(code)
    o.desks.append(first)
    desk = new_desk(o)
    explained(await refusal(desk, code), "code-used")
    await still_new(o, desk)
    assert first.session.status.state is LinkState.ONLINE


async def test_an_expired_code(o: Offices) -> None:
    code = await admin.invite(o.w.data, name="Registrator", title="", unit="", hours=-1)
    desk = new_desk(o)
    explained(await refusal(desk, code), "code-expired")
    await still_new(o, desk)


async def test_a_code_that_expires_between_looking_and_enrolling(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = new_desk(o)
    found = await desk.office.look_up(desk.server, await o.w.invite("Registrator"))
    with monkeypatch.context() as later:
        later.setattr("sync.server.rules.people.now_ms", lambda: now_ms() + 30 * DAY_MS)
        with pytest.raises(Refused) as e:
            await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    explained(e.value.code, "code-expired")
    await still_new(o, desk)


async def test_a_code_of_another_agency(o: Offices) -> None:
    admin.init(o.w.folder / "other", keys=o.w.folder / "other keys", demo_ca=["localhost"])
    code = await admin.invite(o.w.folder / "other", name="Registrator", title="", unit="")
    desk = new_desk(o)
    explained(await refusal(desk, code), "wrong-agency")
    await still_new(o, desk)


async def test_a_code_whose_binding_is_anothers_record_is_refused_by_the_client(o: Offices) -> None:
    """A lying server hands out somebody else's staff record for a code."""
    code = await o.w.invite("Registrator")
    agency = read_agency(o.w.data)
    key = SignInCode.parse(code).key.public
    cert = agency.certify_invite(key, record_hash(b"s" * 16, b"annat"), now_ms() + DAY_MS)
    desk = new_desk(o)

    def swap(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if isinstance(frame, m.InviteReply):
            return [encode(m.InviteReply(frame.rid, m.Signed(*cert), frame.salt, frame.record))]
        return [data]

    _through(desk, o.w, swap)
    explained(await refusal(desk, code), "wrong-agency")
    _directly(desk)
    await still_new(o, desk, code)


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


@pytest.mark.parametrize("how", ["refuses", "chooses"])
async def test_a_server_of_a_newer_protocol_asks_for_an_update(w: World, how: str) -> None:
    a, b, room, obj = await two(w)
    right = a.wire.address
    answer = m.Error(0, m.ErrorCode.VERSION, "98-99") if how == "refuses" else _version_99(w)
    async with other_peer(w, lambda frame: answer) as port:
        a.wire.address = address_of(port)
        await a.wire.hang_up()
        a.engine.retry_now()
        await until(lambda: a.engine.status.state is LinkState.ERROR)
        explained(a.engine.status.code, "update-needed")
        a.say(room, obj, HELLO)
        await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)
    a.wire.address = right
    a.online()
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO


async def test_a_server_of_another_agency_behind_the_right_address(w: World) -> None:
    a, _b, room, obj = await two(w)
    other = w.folder / "other"
    admin.init(other, keys=w.folder / "other keys", demo_ca=["localhost"])
    theirs = read_identity(other, now_ms())
    right, hello = a.wire.address, m.ServerHello(WIRE_MAX, bytes(32), now_ms(), theirs.agency_pk, theirs.cert)
    async with other_peer(w, lambda frame: hello) as port:
        a.wire.address = address_of(port)
        await a.wire.hang_up()
        a.engine.retry_now()
        await until(lambda: a.engine.status.state is LinkState.ERROR)
        explained(a.engine.status.code, "wrong-agency")
        a.say(room, obj, HELLO)
        await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=1)
    a.wire.address = right
    a.online()
    await w.settle(room)


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


# -- an enrolment that is cut off ------------------------------------------------------------------------------


def _through(desk: Desk, w: World, spoil: Callable[[bytes, bool], Sequence[bytes]]) -> None:
    """The desk's next lines go through a wire that is spoilt."""
    wire = w.dialer()
    wire.spoil = spoil
    desk.office.place.dialer = lambda server: wire  # type: ignore[method-assign]  # the one place that dials


def _directly(desk: Desk) -> None:
    del desk.office.place.dialer


def cut_at_enrol(*, reached: bool) -> Callable[[bytes, bool], Sequence[bytes]]:
    """The line breaks when the client registers: after the server has done it, or before."""
    asked: list[bool] = []

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        if out and isinstance(decode_client(data), m.Enrol):
            asked.append(True)
            if not reached:
                raise Unreachable("cut")
        elif not out and asked:
            raise Unreachable("cut")
        return [data]

    return spoil


async def _cut(o: Offices, desk: Desk, code: str, *, reached: bool) -> None:
    found = await desk.office.look_up(desk.server, code)
    _through(desk, o.w, cut_at_enrol(reached=reached))
    with pytest.raises(Unreachable) as e:
        await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    explained(e.value.code, "unreachable")
    _directly(desk)


async def _works(o: Offices, desk: Desk, session: Session) -> None:
    desk.session = session
    o.desks.append(desk)
    await desk.online()
    room = await session.rooms.create("Åäö", RoomType.GROUP)
    await until(lambda: session.store.waiting_count() == 0)
    assert session.people.me.name == "Registrator"
    assert (await admin.status(o.w.data)).users == 1
    await desk.restart()
    assert desk.session.rooms.room(room).title == "Åäö"


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_finished_at_the_next_attempt(o: Offices, reached: bool) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    await _cut(o, desk, code, reached=reached)
    found = await desk.office.look_up(desk.server, code)  # also if the person goes back a page
    assert found.name == "Registrator"
    session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    await _works(o, desk, session)


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_finished_at_the_next_start(o: Offices, reached: bool) -> None:
    """The server went down between doing it and saying so; the program was closed; both start again."""
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=reached)
    await o.w.stop_server()
    await o.w.start_server()
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)
    assert not desk.office.is_new
    await _works(o, desk, await desk.office.unlock(PASSPHRASE))


async def test_the_passphrase_of_the_second_attempt_is_the_one_that_counts(o: Offices) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    _through(desk, o.w, cut_at_enrol(reached=True))
    with pytest.raises(Unreachable):
        await desk.office.enrol(found, "en annan, först vald", lambda text, done, total: None)
    _directly(desk)
    await _works(o, desk, await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None))


async def test_a_second_attempt_whose_passphrase_is_too_short_leaves_the_first_ones(o: Offices) -> None:
    """The server may have bound the account: without a way in to its keys it would be lost."""
    desk = new_desk(o)
    code = await o.w.invite("Registrator")
    await _cut(o, desk, code, reached=True)
    found = await desk.office.look_up(desk.server, code)
    with pytest.raises(WeakPassphrase):
        await desk.office.enrol(found, "kort", lambda text, done, total: None)
    _start_again(desk)
    await _works(o, desk, await desk.office.resume(PASSPHRASE))


async def test_a_code_that_is_looked_up_meanwhile_makes_nobody_elses_account(o: Offices) -> None:
    """A server that answers late brings another person than the one who was confirmed."""
    desk = new_desk(o)
    late, wanted = await o.w.invite("Enhetschef"), await o.w.invite("Registrator")
    found = await desk.office.look_up(desk.server, wanted)
    made = desk.office.place.add_slot

    async def meanwhile(key: bytes, passphrase: str | None) -> None:
        await made(key, passphrase)
        await desk.office.look_up(desk.server, late)

    desk.office.place.add_slot = meanwhile  # type: ignore[method-assign]
    session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    assert session.people.me.name == "Registrator"
    await _works(o, desk, session)


async def test_another_code_after_a_cut_off_enrolment_begins_anew(o: Offices) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=False)
    await _works(o, desk, await _enrol(desk, await o.w.invite("Registrator")))


async def _enrol(desk: Desk, code: str) -> Session:
    found = await desk.office.look_up(desk.server, code)
    return await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)


async def test_an_unfinished_account_whose_code_has_expired_says_so(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=False)
    monkeypatch.setattr("sync.server.rules.people.now_ms", lambda: now_ms() + 30 * DAY_MS)
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)
    desk.session = await desk.office.unlock(PASSPHRASE)
    o.desks.append(desk)
    await until(lambda: desk.session.status.state is LinkState.ERROR)
    explained(desk.session.status.code, "code-expired")
    assert desk.session.store.db.check() == []


def _start_again(desk: Desk) -> None:
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_told_at_the_next_start_and_resumed(o: Offices, reached: bool) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=reached)
    _start_again(desk)
    assert desk.office.is_unfinished
    await o.w.stop_server()
    with pytest.raises(Unreachable):
        await desk.office.resume(PASSPHRASE)
    assert desk.office.is_unfinished
    await o.w.start_server()
    session = await desk.office.resume(PASSPHRASE)
    assert not desk.office.is_unfinished
    await _works(o, desk, session)
    assert not desk.office.is_unfinished
    with pytest.raises(BugError):
        desk.office.start_over()


async def test_an_unfinished_account_whose_code_was_spent_is_begun_anew_with_another_code(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = new_desk(o)
    code = await o.w.invite("Registrator")
    await _cut(o, desk, code, reached=False)
    other = new_desk(o, "annan dator")
    await other.enrol(code)
    o.desks.append(other)
    _start_again(desk)
    with pytest.raises(Refused) as e:
        await desk.office.resume(PASSPHRASE)
    explained(e.value.code, "code-used")
    desk.office.start_over()
    assert desk.office.is_new
    assert desk.office.kinds() == []
    await still_new(o, desk)


async def test_an_enrolment_that_ended_before_its_keys_were_kept_says_so_and_is_begun_anew(o: Offices) -> None:
    desk = new_desk(o)
    write_atomic(desk.profile.enrolling_path, b"")
    key = new_key()
    create_store(desk.profile, key, {}).close()
    desk.office.slots.add_passphrase(key, PASSPHRASE)
    assert desk.office.is_unfinished
    with pytest.raises(NotEnrolled) as e:
        await desk.office.resume(PASSPHRASE)
    explained(e.value.code, "not-enrolled")
    desk.office.start_over()
    await still_new(o, desk)


async def test_an_unfinished_account_that_is_let_in_is_finished(o: Offices) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=True)
    _start_again(desk)
    await _works(o, desk, await desk.office.unlock(PASSPHRASE))
    assert not desk.office.is_unfinished


async def test_the_server_takes_the_same_entries_again_and_no_others(w: World) -> None:
    code = SignInCode.parse(await w.invite("Registrator"))
    agency = read_agency(w.data)
    record = _record_of(await _invite_reply(w, code))
    cert = await _invite_reply(w, code)
    secrets = DeviceSecrets.fresh()
    signed = (cert.cert.body, cert.cert.sig)
    first, _ = new_user(secrets, code, agency.pk, signed, record, bytes(32), now_ms())
    other, _ = new_user(DeviceSecrets.fresh(), code, agency.pk, signed, record, bytes(32), now_ms())
    same_person, _ = new_user(secrets, code, agency.pk, signed, record, b"\x01" * 32, now_ms())
    await register(w.dialer(), agency.pk, first, now_ms)
    await register(w.dialer(), agency.pk, first, now_ms)
    for entries in (other, [first[0], *same_person[1:]]):
        with pytest.raises((Refused, Reject)) as e:
            await register(w.dialer(), agency.pk, entries, now_ms)
        explained(e.value.code, "code-used", "stale")


async def _invite_reply(w: World, code: SignInCode) -> m.InviteReply:
    line = await w.dialer().open()
    await line.send(encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now_ms(), "test")))
    await line.receive()
    await line.send(encode(m.Invite(1, code.key.public)))
    reply = decode_server(await line.receive())
    await line.close()
    assert isinstance(reply, m.InviteReply)
    return reply


def _record_of(reply: m.InviteReply) -> Hash:
    return record_hash(reply.salt, reply.record)
