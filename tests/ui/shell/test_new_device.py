# SPDX-License-Identifier: EUPL-1.2
"""Another device is let in on screen: by a code or by digits, with every error shown in place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core import clock
from app.core.ids import Hash
from app.devices.inviting import Misses, Pointer, read_pointer
from app.devices.service import DeviceInfo
from app.session import Session
from sync.client.devices.device_pairing import Guest
from sync.client.wire.connection import Connection
from sync.errors import Refused
from sync.protocol import messages as m
from sync.trust.person.agency import agency_fingerprint
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import NewDevice, PairingCode
from sync.trust.person.pairing_protocol import Entering
from sync.trust.person.user_log import Device
from tests.ui.shell.devices import account, guest_of, texts, tower
from tests.ui.shell.kept_account import LAPTOP, TABLET, TOWER
from tests.ui.shell.served import Served
from tests.ui.walking import check, check_tab
from tests.world import World, until
from ui.kit import qr
from ui.kit.qr import QrCode
from ui.kit.tasks import run
from ui.shell.entry.second_device import spaced
from ui.shell.settings.new_device_dialog import InviteDialog

__all__ = ["account", "tower"]  # fixtures

SERVER = "kansli.myndighet.example"


@pytest_asyncio.fixture
async def guest(account: Served) -> AsyncIterator[Guest]:
    """A computer that is to be let in."""
    made = guest_of(account.w)
    yield made
    await made.close()


def before_admitting(monkeypatch: pytest.MonkeyPatch, session: Session, first: Callable[[], Awaitable[object]]) -> None:
    """Awaits `first` whenever the session's device is about to write another one into the log."""
    devices = session.engine.devices
    admit = devices.admit

    async def late(new: NewDevice, proof: bytes, head: Hash) -> Device:
        await first()
        return await admit(new, proof, head)

    monkeypatch.setattr(devices, "admit", late)


async def opened(qtbot: QtBot, tower: Session) -> "tuple[InviteDialog, list[str], asyncio.Task[None]]":
    """The dialog with its offer, the names of the devices that it has let in, and what ends when it is closed."""
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = InviteDialog(parent, tower.devices, SERVER)
    added: list[str] = []
    closed = run(parent, dialog.show_until_closed(added.append))
    await until(lambda: bool(dialog.left.text()))
    return dialog, added, closed


def others(tower: Session) -> list[DeviceInfo]:
    """The devices that were let in here."""
    return [device for device in tower.devices.all() if device.name not in ("", TOWER, LAPTOP, TABLET)]


async def is_in(guest: Guest, tower: Session) -> bool:
    """Whether the guest was let in, as it and the person's device have it."""
    joined = await guest.finish(lambda own: None)
    return [(each.dev, each.name) for each in others(tower)] == [(joined.account.dev, guest.name)]


async def is_refused(guest: Guest, *, code: str = "", number: str = "") -> bool:
    """Whether the server has no box of this name any more."""
    with pytest.raises(Refused) as e:
        await guest.join(code=code, number=number)
    return e.value.code == "code-unknown"


async def test_a_code_is_shown_in_letters_and_as_a_qr_code_until_it_is_too_old(
    qtbot: QtBot, tower: Session, guest: Guest
) -> None:
    dialog, added, _ = await opened(qtbot, tower)
    assert dialog.left.text().startswith("Väntar på den nya datorn. Gäller i 4:5")
    PairingCode.parse(dialog.large.text())
    (shown,) = dialog.findChildren(QrCode)
    (text,) = qr.read(shown.grab().toImage())
    assert read_pointer(text) == Pointer(server=SERVER, code=dialog.large.text())
    assert not dialog.accept_button.isVisible()
    dialog.accept()  # Enter before anybody came adds nobody
    check(dialog)
    check_tab(dialog)
    assert others(tower) == []
    await guest.join(code=dialog.large.text())
    await until(dialog.accept_button.isVisible)
    assert {"Resedator", "Windows 11"} <= set(texts(dialog))
    assert dialog.focusWidget() is dialog.no
    check(dialog)
    assert others(tower) == []
    dialog.accept_button.click()
    await until(lambda: added == ["Resedator"])
    assert await is_in(guest, tower)


async def test_a_device_that_is_being_added_is_not_left_alone(
    qtbot: QtBot, tower: Session, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be in the person's log and never receive that."""
    going_on = asyncio.Event()
    before_admitting(monkeypatch, tower, going_on.wait)
    dialog, added, closed = await opened(qtbot, tower)
    await guest.join(code=dialog.large.text())
    await until(dialog.accept_button.isVisible)
    dialog.accept_button.click()
    dialog.reject()
    dialog.close()
    assert dialog.isVisible()
    assert others(tower) == []
    going_on.set()
    await closed
    assert added == ["Resedator"]
    assert await is_in(guest, tower)


async def test_digits_are_compared_and_a_no_adds_nothing(
    qtbot: QtBot, account: Served, tower: Session, guest: Guest
) -> None:
    dialog, added, _ = await opened(qtbot, tower)
    code = dialog.large.text()
    dialog.other.click()
    await until(lambda: len(dialog.large.text()) == len("123 456 789"))
    number = dialog.large.text()
    assert await is_refused(guest_of(account.w), code=code)
    await guest.join(number=number)
    await until(dialog.no.isVisible)
    assert spaced(guest.digits) in texts(dialog)
    dialog.no.click()
    with pytest.raises(Refused, match="pairing"):
        await guest.finish(lambda own: None)
    assert "Enheten lades inte till." in texts(dialog)
    assert dialog.again.isVisible()
    assert not dialog.accept_button.isVisible()
    dialog.again.click()
    await until(lambda: bool(dialog.left.text()))
    assert dialog.large.text() != number
    assert added == []
    assert others(tower) == []


async def third_digits(
    qtbot: QtBot, tower: Session, guest: Guest
) -> "tuple[InviteDialog, list[str], asyncio.Task[None]]":
    """What `opened` returns, with digits that wait for an answer; two have failed within the hour."""
    misses = Misses(tower.store.notes)
    for _ in range(2):
        misses.add(clock.now_ms())
    dialog, added, closed = await opened(qtbot, tower)
    dialog.other.click()
    await until(lambda: len(dialog.large.text()) == len("123 456 789"))
    await guest.join(number=dialog.large.text())
    await until(dialog.no.isVisible)
    return dialog, added, closed


@pytest.mark.parametrize("answer", ["no", "reject", "close"])
async def test_attack_three_times_no_or_no_answer_to_digits_leaves_the_code_for_an_hour(
    qtbot: QtBot, tower: Session, guest: Guest, answer: str
) -> None:
    """Who sees other digits than on the new computer may just close the dialog."""
    dialog, _, closed = await third_digits(qtbot, tower, guest)
    if answer == "no":
        dialog.no.click()
        dialog.again.click()
    else:
        getattr(dialog, answer)()
        await closed
        dialog, _, _ = await opened(qtbot, tower)
        dialog.other.click()
    await until(dialog.error.isVisible)
    assert "Från " in dialog.error.text()
    dialog.again.click()
    await until(lambda: bool(dialog.left.text()))
    PairingCode.parse(dialog.large.text())


async def test_digits_that_are_the_same_do_not_count_as_failed(qtbot: QtBot, tower: Session, guest: Guest) -> None:
    dialog, added, _ = await third_digits(qtbot, tower, guest)
    misses = Misses(tower.store.notes)
    assert misses.until(clock.now_ms()) is not None
    dialog.accept_button.click()
    await until(lambda: added == ["Resedator"])
    assert misses.until(clock.now_ms()) is None


@asynccontextmanager
async def in_box(w: World, code: str) -> AsyncIterator[Connection]:
    """Somebody who has the box's name, as the server has it, and not the code."""
    line = await Connection.connect(w.dialer(), now_ms=clock.now_ms, agency_pin=None)
    reading = asyncio.ensure_future(line.run(lambda frame: None))
    await line.request(lambda rid: m.PairJoin(rid=rid, box=PairingCode.parse(code).box), m.Ok)
    yield line
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def shows(dialog: InviteDialog, sentence: str) -> None:
    """The error is in the dialog, and the button that begins again leads out of it."""
    await until(dialog.error.isVisible)
    assert dialog.error.text().startswith(sentence)
    assert dialog.again.isVisible()
    assert not dialog.accept_button.isVisible()
    before = dialog.large.text()
    dialog.again.click()
    await until(lambda: bool(dialog.left.text()))
    assert dialog.large.text() != before
    assert not dialog.error.isVisible()


async def test_a_device_that_leaves_is_not_there_any_more(qtbot: QtBot, account: Served, tower: Session) -> None:
    dialog, _, closed = await opened(qtbot, tower)
    async with in_box(account.w, dialog.large.text()):
        pass
    await shows(dialog, "Den andra enheten är inte kvar.")
    last = dialog.large.text()
    dialog.reject()
    await closed
    assert await is_refused(guest_of(account.w), code=last)


async def test_attack_a_device_in_the_right_box_with_another_code_is_not_asked_about(
    qtbot: QtBot, account: Served, tower: Session
) -> None:
    dialog, _, _ = await opened(qtbot, tower)
    async with in_box(account.w, dialog.large.text()) as line:
        agency, secrets = agency_fingerprint(line.identity.agency_pk), DeviceSecrets.without_root()
        entering = Entering(agency, secrets, "Resedator", "Windows 11", PairingCode.fresh())
        await line.request(lambda rid: m.PairPost(rid=rid, data=entering.first()), m.Ok)
        await shows(dialog, "De två enheterna har inte samma kod.")


async def test_a_log_that_another_device_changes_each_time_is_told(
    qtbot: QtBot, tower: Session, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.client.account.compare_and_swap.FIRST_S", 0)
    before_admitting(monkeypatch, tower, tower.engine.devices.renew)
    dialog, added, _ = await opened(qtbot, tower)
    await guest.join(code=dialog.large.text())
    await until(dialog.accept_button.isVisible)
    dialog.accept_button.click()
    await shows(dialog, "Dina enheter ändrades i samma ögonblick.")
    assert added == []
    assert others(tower) == []
