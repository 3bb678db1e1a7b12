# SPDX-License-Identifier: EUPL-1.2
"""The agency's server gets another name, as IT does it by policy: real servers, real TLS, whole desks.

The old name is localhost, the new one 127.0.0.1. A server has a certificate for the one or the other, or both, so that
TLS refuses it under a name that it does not have.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import shiboken6
from pytestqt.qtbot import QtBot
from websockets.asyncio.server import ServerConnection, serve

from app import diagnosis, policy
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState
from app.core.i18n import set_language
from app.settings import SERVER
from sync.client.ports import KeptServer
from sync.client.wire import dialled_address
from sync.client.wire.egress import WebSocketDialer
from sync.client.wire.route import Route
from sync.client.wire.transport import ServerAddress
from sync.crypto.signatures import SigningKey
from sync.crypto.tls import Pem, make_server_cert
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.protocol.version import WIRE_MAX
from sync.server.host.identity import read_agency, read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import hello_proof
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.ui.soon import caught_up
from tests.world import World, until
from ui.errors import sentence
from ui.shell.window.main_window import MainWindow
from ui.shell.window.status_bar import reason
from ui.tools import TOOLS

pytestmark = pytest.mark.slow
OLD, NEW = "localhost", "127.0.0.1"


def name(w: World, host: str) -> str:
    return f"{host}:{w.dialer().address.port}"


async def serve_under(w: World, *hosts: str) -> None:
    """The server is started again, with a certificate for these names alone."""
    await w.stop_server()
    ca = Pem(cert=(w.data / "ca.pem").read_bytes(), key=(w.data / "ca.key").read_bytes())
    leaf = make_server_cert(ca, list(hosts))
    (w.data / "tls.pem").write_bytes(leaf.cert)
    (w.data / "tls.key").write_bytes(leaf.key)
    await w.start_server()


def fix(desk: Desk, *servers: str) -> None:
    """IT's policy names these servers from now on."""
    desk.policy = {"servers": ", ".join(servers)}
    desk.office.renew_policy()


def opened(desk: Desk) -> list[str]:
    return [r.title for r in desk.session.rooms.rooms()]


async def moved(desk: Desk, to: str) -> None:
    await until(lambda: desk.session.status.server == to and desk.session.status.state is LinkState.ONLINE)


async def stuck(desk: Desk, code: str) -> None:
    await until(lambda: desk.session.status.state is LinkState.ERROR and desk.session.status.code == code)


# -- a move -----------------------------------------------------------------------------------------------------------


async def test_a_server_moves_with_two_names_and_then_with_one(o: Offices, caplog: pytest.LogCaptureFixture) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    old, new = name(o.w, OLD), name(o.w, NEW)
    for desk in (a, b):
        fix(desk, old, new)
    a.session.service(CHAT).send(room, "före flytten åäö 🙂")
    await until(lambda: b.texts(room) == ["före flytten åäö 🙂"])
    with caplog.at_level(logging.INFO):
        await serve_under(o.w, NEW)
        for desk in (a, b):
            desk.session.engine.retry_now()
            await moved(desk, new)
    lines = [r.getMessage() for r in caplog.records if "another address" in r.getMessage()]
    assert len(lines) == 2  # one for each desk
    assert not any(host in r.getMessage() for r in caplog.records if r.name == "sync" for host in (OLD, NEW))
    a.session.service(CHAT).send(room, "efter")
    await until(lambda: b.texts(room)[-1] == "efter")
    for desk in (a, b):  # a day later the old name goes
        fix(desk, new)
        await desk.restart()
        assert desk.session.status.server == new
        assert desk.office.settings.get(SERVER) == new
    b.session.service(CHAT).send(room, "utan det gamla namnet")
    await until(lambda: a.texts(room)[-1] == "utan det gamla namnet")


async def test_every_place_that_shows_the_address_shows_the_new_one(
    o: Offices, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.shell.settings.settings_view import SettingsView

    (desk,) = await o.hire("Handläggare")
    old, new = name(o.w, OLD), name(o.w, NEW)
    view = SettingsView(desk.session)
    qtbot.addWidget(view)
    assert old in view._place.text()
    fix(desk, old, new)
    await serve_under(o.w, NEW)
    desk.session.engine.retry_now()
    await moved(desk, new)
    assert new in view._place.text()
    assert old not in view._place.text()
    assert view.devices._server() == new
    assert desk.session.engine.status.server == new
    monkeypatch.setattr(policy, "machine", desk._read_policy)
    assert (
        "the account's server is one of servers" in diagnosis.report(desk.profile, desk.office.settings)["policy.txt"]
    )


async def test_policy_names_only_the_new_name_from_the_start(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    desk.session.service(CHAT).send(room, "kvar här")
    await until(lambda: desk.session.status.waiting == 0)
    new = name(o.w, NEW)
    await desk.close()
    await serve_under(o.w, NEW)
    desk.policy = {"servers": new}
    await desk.begin_offline()
    assert desk.texts(room) == ["kvar här"]
    await moved(desk, new)
    await desk.restart()
    assert desk.session.status.server == new


async def test_a_name_that_answers_no_more_is_left_after_a_while_and_not_at_once(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old name leads nowhere, and the new one is another machine's."""
    (desk,) = await o.hire("Handläggare")
    old, new = name(o.w, OLD), name(o.w, NEW)
    await o.w.stop_server()
    o.w._port = 0
    await serve_under(o.w, NEW)
    there = name(o.w, NEW)
    fix(desk, old, there)
    assert there != new
    for _ in range(3):
        desk.session.engine.retry_now()
        await until(lambda: desk.session.status.state is LinkState.OFFLINE)
    assert desk.session.status.server == old
    monkeypatch.setattr(dialled_address, "MOVE_AFTER_S", 0.0)
    desk.session.engine.retry_now()
    await moved(desk, there)


# -- nobody is locked out ---------------------------------------------------------------------------------------------


async def test_offline_the_whole_time_the_window_opens_and_says_why(o: Offices, qtbot: QtBot) -> None:
    (desk,) = await o.hire("Handläggare")
    old = name(o.w, OLD)
    await desk.close()
    await o.w.stop_server()
    desk.policy = {"servers": name(o.w, NEW)}
    await desk.begin_offline()
    window = MainWindow(desk.session, TOOLS)
    try:
        await stuck(desk, "server-not-named")
        caught_up(window.connection)
        assert window.content.bar.text().startswith(f"Din organisation anger inte längre servern {old}")
        assert window.content.status.texts()[2] == "Synkar inte"
        set_language("en")
        assert reason(desk.session.status).title.startswith(f"Your organisation no longer names the server {old}")
    finally:
        set_language("sv")
        shiboken6.delete(window)  # before the store is closed, which it still shows


async def test_offline_the_whole_time_one_reads_and_writes(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    old, new = name(o.w, OLD), name(o.w, NEW)
    await desk.close()
    await o.w.stop_server()
    desk.policy = {"servers": new}
    await desk.begin_offline()
    await stuck(desk, "server-not-named")
    assert desk.session.status.server == old
    desk.session.service(CHAT).send(room, "skrivet utan server")
    await desk.close()
    await desk.begin_offline()
    assert desk.texts(room) == ["skrivet utan server"]
    await serve_under(o.w, NEW)
    desk.session.engine.retry_now()
    await moved(desk, new)
    await until(lambda: desk.session.status.waiting == 0)


async def test_an_account_whose_server_policy_does_not_name_is_opened_and_connects_to_nothing(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    await desk.close()
    desk.policy = {"servers": "other.invalid"}
    await desk.begin_offline()
    await stuck(desk, "server-not-named")
    assert room in [r.room for r in desk.session.rooms.rooms()]
    fix(desk, "other.invalid", desk.server)
    desk.session.engine.retry_now()
    await desk.online()


@pytest.mark.parametrize("left", ["", "{", '{"server": "http://[x"}'])
async def test_damaged_settings_lock_nobody_out(o: Offices, left: str) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    await desk.close()
    ca = desk.ca_file
    desk.profile.settings_path.write_text(left)
    desk.policy = {"ca-file": str(ca)}
    await desk.begin()
    assert room in [r.room for r in desk.session.rooms.rooms()]
    assert desk.office.settings.get(SERVER) == desk.server


async def test_a_store_that_knows_no_address_opens_and_says_so(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    desk.session.store.db.conn.execute("DELETE FROM meta WHERE name = 'server'")
    await desk.close()
    desk.profile.settings_path.write_text("")
    await desk.begin_offline()
    await stuck(desk, "bad-address")
    assert room in [r.room for r in desk.session.rooms.rooms()]


# -- strangers --------------------------------------------------------------------------------------------------------

Answer = Callable[[m.ClientFrame], "asyncio.Future[m.Frame] | m.Frame"]


@asynccontextmanager
async def stranger(w: World, host: str, answer: Answer, heard: list[m.ClientFrame]) -> AsyncIterator[str]:
    """A server at `host` with a trusted TLS certificate, which answers each frame in its own way; gives its address."""
    ca = Pem(cert=(w.data / "ca.pem").read_bytes(), key=(w.data / "ca.key").read_bytes())
    leaf, folder = make_server_cert(ca, [host]), w.folder / "stranger"
    folder.mkdir(exist_ok=True)
    (folder / "tls.pem").write_bytes(leaf.cert)
    (folder / "tls.key").write_bytes(leaf.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "tls.pem", folder / "tls.key")

    async def talk(socket: ServerConnection) -> None:
        async for data in socket:
            assert isinstance(data, bytes)
            frame = decode_client(data)
            heard.append(frame)
            said = answer(frame)
            await socket.send(encode(await said if isinstance(said, asyncio.Future) else said))

    async with serve(talk, host, 0, ssl=tls, compression=None) as server:
        yield f"{host}:{next(iter(server.sockets)).getsockname()[1]}"


def shows_papers(w: World, proof: Callable[[m.Hello, int, bytes], bytes]) -> Answer:
    """Our agency's public key and our server's true certificate, which every client knows, and this proof."""
    who = read_identity(w.data, now_ms())

    def answer(frame: m.ClientFrame) -> m.Frame:
        assert isinstance(frame, m.Hello), "a client says nothing more to a server that has proved nothing"
        nonce, now = bytes(32), now_ms()
        return m.ServerHello(WIRE_MAX, nonce, now, who.agency_pk, who.cert, proof(frame, now, nonce))

    return answer


def no_proof(w: World) -> Answer:
    return shows_papers(w, lambda hello, now, nonce: b"")


def own_key(w: World) -> Answer:
    """Signed well, by a key that nobody certified."""
    who, key = read_identity(w.data, now_ms()), SigningKey(bytes(range(32)))
    return shows_papers(
        w,
        lambda hello, now, nonce: key.sign(
            "hello", hello_proof(nonce, hello.nonce, who.fingerprint, hello.address, now)
        ),
    )


def passed_on(w: World) -> Answer:
    """What the true server says to the same nonce, under its own address."""
    return passing_on(w, name(w, OLD))


def passed_on_as_it_came(w: World) -> Answer:
    """What the true server says to the very same hello, in which the stranger's address stands."""
    return passing_on(w, "")


def passing_on(w: World, address: str) -> Answer:
    """The true server's answer, to a hello for `address`, or as it came."""

    async def ask(hello: m.Hello) -> m.Frame:
        dialer = WebSocketDialer(ServerAddress.parse(name(w, OLD)), lambda: Route(ca_file=w.data / "ca.pem"))
        line = await dialer.open()
        await line.send(encode(m.Hello(hello.versions, hello.nonce, hello.time, hello.agent, address or hello.address)))
        said = decode_server(await line.receive())
        await line.close()
        return said

    def answer(frame: m.ClientFrame) -> "asyncio.Future[m.Frame]":
        assert isinstance(frame, m.Hello), "a client says nothing more to a server that has proved nothing"
        return asyncio.ensure_future(ask(frame))

    return answer


def sister(w: World) -> Answer:
    """Another server of the same agency: certified, with a key of its own, which it has."""
    who, key = read_identity(w.data, now_ms()), SigningKey(bytes(range(32)))
    cert = m.Signed(*read_agency(w.data).certify_server(key.public, now_ms() + 10**9))

    def answer(frame: m.ClientFrame) -> m.Frame:
        assert isinstance(frame, m.Hello), "a client says nothing more to a server that has proved nothing"
        now, nonce = now_ms(), bytes(32)
        proof = key.sign("hello", hello_proof(nonce, frame.nonce, who.fingerprint, frame.address, now))
        return m.ServerHello(WIRE_MAX, nonce, now, who.agency_pk, cert, proof)

    return answer


@pytest.mark.parametrize("how", [no_proof, own_key, passed_on, passed_on_as_it_came, sister])
async def test_attack_a_stranger_under_the_second_name_learns_nothing_and_moves_no_account(
    o: Offices, how: Callable[[World], Answer]
) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    heard: list[m.ClientFrame] = []
    async with stranger(o.w, NEW, how(o.w), heard) as false:
        await desk.close()
        desk.policy = {"servers": false}
        await desk.begin_offline()
        await stuck(desk, "server-unproven")
        status = desk.session.status
        assert (status.about, status.server) == (false, desk.server)
        assert reason(status).title == f"Servern på {false} har inte visat att den är din myndighets."
        assert heard
        assert all(isinstance(frame, m.Hello) for frame in heard)
        assert room in [r.room for r in desk.session.rooms.rooms()]
        kept = desk.session.store.account.kept_server()
        assert kept is not None
        assert (kept.address, desk.office.settings.get(SERVER)) == (desk.server, desk.server)
        fix(desk, false, desk.server)
        desk.session.engine.retry_now()
        await desk.online()
    assert desk.session.status.server == desk.server


async def test_attack_a_stranger_behind_the_kept_name_is_not_signed_in_to(o: Offices) -> None:
    """The old name was given away: whoever has it shows our server's papers."""
    (desk,) = await o.hire("Handläggare")
    heard: list[m.ClientFrame] = []
    async with stranger(o.w, OLD, no_proof(o.w), heard) as false:
        await desk.close()
        desk.office.settings.set(SERVER, false)
        desk.reopen()
        keys = await asyncio.to_thread(desk.office.slots.unlock_passphrase, PASSPHRASE)
        store = desk.office.place.open_store(keys)
        kept = store.account.kept_server()
        assert kept is not None
        store.account.keep_server(KeptServer(address=false, key=kept.key))
        store.close()
        desk.session = await desk.office.place.open(keys)
        await stuck(desk, "server-unproven")
        assert desk.session.status.about == false
        assert all(isinstance(frame, m.Hello) for frame in heard)
        fix(desk, false, name(o.w, OLD))
        desk.session.engine.retry_now()
        await moved(desk, name(o.w, OLD))


def test_the_sentences_name_the_address_in_both_languages() -> None:
    try:
        for language in ("sv", "en"):
            set_language(language)
            for code in ("server-not-named", "server-unproven"):
                said = sentence(code, address="reserv.example:8443").text
                assert "reserv.example:8443" in said
                assert "{" not in said
    finally:
        set_language("sv")
