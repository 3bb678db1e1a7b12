# SPDX-License-Identifier: EUPL-1.2
"""A session opens and closes its parts as nested scopes: a part that fails keeps no other open."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import NoReturn, cast

import pytest
import pytest_asyncio

from app.arrival.place import Place
from app.bootstrap import Office
from app.chat.service import ChatService
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, RoomType
from app.devices.service import DeviceService
from app.documents.service import DocumentService
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import DiskFull, NotRevoked, NotStored, StoreClosed
from app.notices.service import Notices
from app.notices.standing import StandingNotices
from app.objects.kept_offline import KeptOffline
from app.own.room import OwnRoom
from app.people.notices import KeyWatch
from app.people.service import PeopleService
from app.personal.service import Personal
from app.policy import Policy
from app.presence.service import PresenceService
from app.profile import Profile
from app.richtext.model import Document
from app.rooms.arrivals import Arrivals
from app.rooms.held import HeldBack
from app.rooms.invitations import Invitations
from app.rooms.nesting import Nesting
from app.rooms.service import RoomService
from app.scopes import Scopes
from app.session import Session
from app.settings import SERVERS
from app.store import indexing
from app.store.connection import Connection, Row
from app.store.store import Store
from app.tasks.service import TaskService
from app.trial import trial
from sync.client.devices.own_devices import REVOKED
from sync.client.ports import KeptServer
from sync.client.wire.dialled_address import Nowhere
from tests.world import until

PASSPHRASE = "fyra vanliga ord, å ä ö"
SCOPES = (
    "store",
    "key-watch",
    "people",
    "rooms",
    "personal",
    "own-room",
    "own",
    "reads",
    "drafts",
    "wishes",
    "room-order",
    "settings-followed",
    "devices",
    "invitations",
    "arrivals",
    "common-rooms",
    "alarms",
    "presence",
    "kept-offline",
    "notices",
    "notice-marks",
    "reminders",
    "nesting",
    "standing-notices",
    "tool-chat",
    "tool-documents",
    "tool-tasks",
    "held",
    "listeners",
    "requests",
    "copies",
    "parts",
)
OPENINGS: dict[str, tuple[type, str, str]] = {
    "store": (Store, "open", ""),
    "dialer": (Place, "account_dialer", "store"),
    "key-watch": (KeyWatch, "__init__", "store"),
    "people": (PeopleService, "__init__", "key-watch"),
    "rooms": (RoomService, "__init__", "people"),
    "personal": (Personal, "__init__", "rooms"),
    "own-room": (OwnRoom, "__init__", "personal"),
    "devices": (DeviceService, "__init__", "settings-followed"),
    "invitations": (Invitations, "__init__", "devices"),
    "arrivals": (Arrivals, "__init__", "invitations"),
    "presence": (PresenceService, "__init__", "alarms"),
    "kept offline": (KeptOffline, "__init__", "presence"),
    "notices": (Notices, "__init__", "kept-offline"),
    "nesting": (Nesting, "__init__", "reminders"),
    "standing-notices": (StandingNotices, "__init__", "nesting"),
    "chat": (ChatService, "__init__", "standing-notices"),
    "documents": (DocumentService, "__init__", "tool-chat"),
    "tasks": (TaskService, "__init__", "tool-documents"),
    "held": (HeldBack, "__init__", "tool-tasks"),
    "a tool's start": (TaskService, "start", "listeners"),
}
"""What fails, as (class, function), and the innermost scope that is open then."""


class Broken(Exception):
    """A fault of ours."""


def fail(*_given: object, **_named: object) -> NoReturn:
    raise Broken


def full(*_given: object, **_named: object) -> NoReturn:
    raise DiskFull


class Watched:
    """The scopes of every session that is opened: in which order they are closed, and which of them fail."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.closed: list[str] = []
        self.failing: dict[str, type[Exception]] = {}
        self._add = Scopes.add
        patch.setattr(Scopes, "add", lambda scopes, name, close: self._add(scopes, name, self._watched(name, close)))

    def _watched(self, name: str, close: Callable[[], object]) -> Callable[[], object]:
        async def ends() -> None:
            self.closed.append(name)
            found = close()
            if isinstance(found, Awaitable):
                await found
            if name in self.failing:
                raise self.failing[name]

        return ends


@pytest.fixture
def scopes(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an account that was enrolled."""

    async def enrol(folder: Path) -> None:
        async with trial(folder, "Handläggare", PASSPHRASE) as (_, session):
            await until(lambda: session.status.state is LinkState.ONLINE)
            room = await session.rooms.create("Bygglov åäö", RoomType.CASE)
            session.service(DOCUMENTS).create(room, "Tjänsteskrivelse 🖋")

    folder = tmp_path_factory.mktemp("account")
    asyncio.run(enrol(folder))
    return folder


@pytest.fixture
def office(account: Path, tmp_path: Path) -> Iterator[Office]:
    """The account on a computer without a network."""
    shutil.copytree(account, tmp_path, dirs_exist_ok=True)
    with closing(Profile.open_in(tmp_path)) as profile:
        yield Office(profile, dial=lambda address, egress: Nowhere(), read_policy=Policy)


@pytest_asyncio.fixture
async def shown() -> AsyncIterator[list[type[BaseException]]]:
    """What the loop's exception handler got, which the window shows."""
    found: list[type[BaseException]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: found.append(type(context["exception"])))
    yield found
    loop.set_exception_handler(None)


def is_open(session: Session) -> bool:
    try:
        session.kept_place()
    except StoreClosed:
        return False
    return True


def edited(session: Session) -> Document:
    """The account's document, open."""
    (room,) = session.rooms.rooms()
    (item,) = session.service(DOCUMENTS).list(room.room)
    return session.service(DOCUMENTS).open(item.obj)


@pytest.mark.parametrize("what", OPENINGS)
async def test_an_opening_that_fails_closes_what_was_opened(
    office: Office, scopes: Watched, shown: list[type[BaseException]], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    owner, function, innermost = OPENINGS[what]
    opened = SCOPES[: SCOPES.index(innermost) + 1] if innermost else ()
    with monkeypatch.context() as broken:
        broken.setattr(owner, function, fail)
        with pytest.raises(Broken):
            await office.unlock(PASSPHRASE)
    assert scopes.closed == list(reversed(opened))
    assert shown == []  # the caller shows it
    session = await office.unlock(PASSPHRASE)
    assert is_open(session)
    await session.close()


@pytest.mark.parametrize("address", ["kansli.example:443", "http://å b:99999"], ids=["forbidden", "invalid"])
async def test_a_server_that_is_forbidden_or_has_no_valid_address_keeps_no_content_away(
    office: Office, address: str
) -> None:
    session = await office.unlock(PASSPHRASE)
    session.store.account.keep_server(KeptServer(address=address, key=bytes(32)))
    await session.close()
    forbidding = Office(
        office.profile,
        dial=lambda address, egress: Nowhere(),
        read_policy=lambda: Policy(fixed={SERVERS.key: "annan.example"}),
    )
    session = await forbidding.unlock(PASSPHRASE)
    assert [room.title for room in session.rooms.rooms()] == ["Bygglov åäö"]
    await session.close()


async def test_attack_a_server_that_only_says_revoked_ends_no_device(office: Office) -> None:
    """The person's own log decides, as this device verified it. Otherwise a server could have everything removed."""
    session = await office.unlock(PASSPHRASE)
    session.engine._state.show(LinkState.ERROR, REVOKED)
    assert session.status.code == REVOKED
    assert session.devices.ended is None
    with pytest.raises(NotRevoked):
        await office.erase(session)
    assert is_open(session)
    await session.close()


@pytest.mark.parametrize("fault", [Broken, DiskFull])
@pytest.mark.parametrize("scope", SCOPES)
async def test_a_close_that_fails_skips_no_other_and_is_reported_once(
    office: Office, scopes: Watched, shown: list[type[BaseException]], scope: str, fault: type[Exception]
) -> None:
    session = await office.unlock(PASSPHRASE)
    scopes.failing[scope] = fault
    with pytest.raises(DiskFull) if fault is DiskFull else nullcontext():
        await session.close()
    assert scopes.closed == list(reversed(SCOPES))
    assert shown == ([Broken] if fault is Broken else [])
    assert not is_open(session)
    await session.close()
    assert len(scopes.closed) == len(SCOPES)


async def test_a_close_that_is_cancelled_closes_everything(office: Office, scopes: Watched) -> None:
    session = await office.unlock(PASSPHRASE)
    scopes.failing["tool-documents"] = cast("type[Exception]", asyncio.CancelledError)
    with pytest.raises(asyncio.CancelledError):
        await session.close()
    assert scopes.closed == list(reversed(SCOPES))
    assert not is_open(session)


async def test_a_fault_of_presence_at_the_end_is_reported_and_everything_is_closed(
    office: Office, scopes: Watched, shown: list[type[BaseException]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await office.unlock(PASSPHRASE)
    monkeypatch.setattr(session.presence, "end", fail)
    await session.close()
    assert shown == [Broken]
    assert scopes.closed == list(reversed(SCOPES))
    assert not is_open(session)


async def test_a_close_that_is_cancelled_while_presence_is_sent_closes_everything(
    office: Office, scopes: Watched
) -> None:
    session = await office.unlock(PASSPHRASE)
    closing = asyncio.ensure_future(session.close())
    await asyncio.sleep(0)  # it has begun
    assert scopes.closed == []
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert scopes.closed == list(reversed(SCOPES))
    assert not is_open(session)


async def test_nothing_of_a_session_runs_on_when_it_is_closed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not the indexing of what was written last, whose commits run in a thread."""
    begun, index = asyncio.Event(), indexing.index

    def watched(conn: Connection, rows: Sequence[Row]) -> None:
        begun.set()
        index(conn, rows)

    monkeypatch.setattr(indexing, "DELAY_S", 0.0)
    monkeypatch.setattr(indexing, "AT_ONCE", 1)
    session = await office.unlock(PASSPHRASE)
    (room,) = session.rooms.rooms()
    await session.store.indexing.index_due()
    monkeypatch.setattr(indexing, "index", watched)
    for n in range(9):
        session.service(CHAT).send(room.room, f"Yttrande {n} å 🙂")
    await begun.wait()
    await session.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_tries_once_more_and_hands_over_what_is_not_stored(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await office.unlock(PASSPHRASE)
    document, tool = edited(session), session.service(DOCUMENTS)
    with monkeypatch.context() as disk:
        disk.setattr(session.store.changes, "append", full)
        document.splice(0, 0, "Skälen å 🙂 ")
        with pytest.raises(DiskFull):
            await session.close()
    assert [len(data) for data in tool.unsaved_changes().values()] == [1]
    assert not is_open(session)
    session = await office.unlock(PASSPHRASE)
    with monkeypatch.context() as disk:
        disk.setattr(session.store.changes, "append", full)
        edited(session).splice(0, 0, "Yttrande å 🙂 ")
    await session.close()
    session = await office.unlock(PASSPHRASE)
    assert edited(session).plain_text().startswith("Yttrande å 🙂 ")
    await session.close()


async def test_a_fault_of_ours_that_keeps_an_edit_in_memory_is_no_success(
    office: Office, monkeypatch: pytest.MonkeyPatch, shown: list[type[BaseException]]
) -> None:
    """Otherwise the program would end, and the edit with it."""
    session = await office.unlock(PASSPHRASE)
    document, tool = edited(session), session.service(DOCUMENTS)
    with monkeypatch.context() as disk:
        disk.setattr(session.store.changes, "append", full)
        document.splice(0, 0, "Skälen å 🙂 ")
        monkeypatch.setattr(tool, "save", fail)
    with pytest.raises(NotStored):
        session.save()
    assert [each.title for each in session.unstored()] == ["Tjänsteskrivelse 🖋"]
    assert shown == [Broken]
    monkeypatch.undo()
    session.save()
    assert session.unstored() == []
    await session.close()


async def test_a_fault_of_ours_with_nothing_in_memory_keeps_nobody_in_the_program(
    office: Office, monkeypatch: pytest.MonkeyPatch, shown: list[type[BaseException]]
) -> None:
    session = await office.unlock(PASSPHRASE)
    monkeypatch.setattr(session.service(DOCUMENTS), "save", fail)
    session.save()
    monkeypatch.setattr(session.service(DOCUMENTS), "unstored", fail)
    session.save()
    assert shown == [Broken] * 3
    await session.close()
