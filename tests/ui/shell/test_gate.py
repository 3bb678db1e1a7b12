# SPDX-License-Identifier: EUPL-1.2
"""Unlocking and first start: errors in place, nothing made before it was shown, nothing typed is kept."""

import asyncio
from dataclasses import dataclass

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.arrival.device_pairing import PairingPeer
from app.errors import KeyringLocked, WrongPassphrase
from app.passphrases import PassphraseRules
from sync.errors import BadAddress, Refused, Reject, Unreachable
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.entry.key_page import KeyPage, Progress
from ui.shell.entry.second_device import JoinPages
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import Enrolment, WelcomeView, parse_link

PHRASE = "blå häst går hem 👍"


@dataclass(frozen=True)
class Person:
    """The person whom a code is for."""

    name: str = "Handläggare"
    title: str = "Handläggare"
    unit: str = "Enheten för tillsyn"
    agency: str = "Myndigheten"
    server: str = "kansli.myndighet.example"
    here: bool = False


class Office:
    """First start in memory."""

    def __init__(self, *, keyring: bool = False, error: Exception | None = None) -> None:
        self.keyring, self.error = keyring, error
        self.enrolled: list[str | None] = []
        self.paired: list[tuple[str, str, str, str]] = []
        self.parted = 0
        self.answered = asyncio.Event()

    def allowed(self, kind: str) -> bool:
        return True

    def passphrase_rules(self) -> PassphraseRules:
        return PassphraseRules()

    def keyring_available(self) -> bool:
        return self.keyring

    async def look_up(self, server: str, code: str) -> Person:
        if self.error is not None:
            raise self.error
        return Person(server=server)

    async def enrol(self, found: Person, passphrase: str | None, progress: Progress) -> str:
        progress("Skapar nycklar", 1, 3)
        self.enrolled.append(passphrase)
        return "session"

    async def begin_pairing(self, server: str, name: str, *, code: str = "", number: str = "") -> PairingPeer:
        self.paired.append((server, name, code, number))
        if self.error is not None:
            raise self.error
        return PairingPeer(
            name="Handläggare", title="Handläggare", unit="Enheten för tillsyn", server=server, device=name,
            digits="042117" if number else "",
        )  # fmt: skip

    async def stop_pairing(self) -> None:
        self.parted += 1

    async def join(self, chosen: PairingPeer, passphrase: str | None, progress: Progress) -> str:
        progress("Väntar", 1, 3)
        await self.answered.wait()
        if self.error is not None:
            raise self.error
        self.enrolled.append(passphrase)
        return f"session of {chosen.device}"


def fits(office: Office) -> Enrolment:
    """mypy holds it to the Protocol."""
    return office


def known(page: KeyPage) -> list[str]:
    """What is shown of the person."""
    return [part.text() for part in page.who.findChildren(QLabel) if part.isVisible()]


async def opens(passphrase: str) -> str:
    """The right passphrase opens."""
    if passphrase != PHRASE:
        raise WrongPassphrase
    return "session"


async def test_the_right_passphrase_opens_and_is_forgotten(qtbot: QtBot) -> None:
    view = UnlockView(opens, name="Handläggare")
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert view.field is not None
    assert not view.button.isEnabled()
    view.field.setText(PHRASE)
    view.button.click()
    await until(lambda: bool(got))
    assert got == ["session"]
    assert view.field.text() == ""


async def test_a_wrong_passphrase_is_shown_in_place_and_can_be_tried_again(qtbot: QtBot) -> None:
    view = UnlockView(opens)
    qtbot.addWidget(view)
    view.show()
    assert view.field is not None
    view.field.setText("fel fras")
    view.unlock()
    await until(view.error.isVisible)
    assert view.error.text().startswith("Lösenfrasen stämmer inte.")
    assert "wrong-passphrase" in view.error.text()
    assert view.button.isEnabled()


async def test_a_locked_keyring_is_shown_in_place(qtbot: QtBot) -> None:
    async def locked() -> str:
        raise KeyringLocked

    view = UnlockView(opens, locked)
    qtbot.addWidget(view)
    view.show()
    view.unlock_with_keyring()
    await until(view.error.isVisible)
    assert "Datorns nyckelring är låst." in view.error.text()


async def test_one_code_is_looked_up_at_a_time(qtbot: QtBot) -> None:
    office, going_on, asked = Office(), asyncio.Event(), [""]

    async def slowly(server: str, code: str) -> Person:
        asked.append(code)
        await going_on.wait()
        return Person(server=server)

    office.look_up = slowly  # type: ignore[method-assign]
    view = WelcomeView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.code.setText("AAAA")
    view.look_up()
    await until(lambda: len(asked) > 1)
    view.code.setText("BBBB")
    assert not view.next.isEnabled()
    view.look_up()
    going_on.set()
    await until(view.next.isEnabled)
    assert asked[1:] == ["AAAA"]


async def test_one_unlock_method_is_tried_at_a_time(qtbot: QtBot) -> None:
    """Two sessions of one store would sign two things under one number."""
    tried, going_on = [0], asyncio.Event()

    async def slowly() -> str:
        tried[0] += 1
        await going_on.wait()
        return "session"

    view = UnlockView(opens, slowly)
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert view.field is not None
    view.field.setText(PHRASE)
    view.keyring_button.click()
    view.keyring_button.click()
    view.unlock_with_keyring()
    view.unlock()
    view.button.click()
    await until(lambda: tried[0] > 0)
    assert (tried, got) == ([1], [])
    going_on.set()
    await until(lambda: bool(got))
    assert (tried, got) == ([1], ["session"])


async def test_nothing_is_begun_again_while_the_server_is_asked(qtbot: QtBot) -> None:
    """It may have bound the account, whose keys are here."""
    going_on = asyncio.Event()

    async def slowly(passphrase: str) -> str:
        await going_on.wait()
        raise WrongPassphrase

    view = UnfinishedView(slowly, None)
    qtbot.addWidget(view)
    view.show()
    assert view.field is not None
    view.field.setText(PHRASE)
    view.button.click()
    assert not view.start_over_button.isEnabled()
    going_on.set()
    await until(view.start_over_button.isEnabled)


async def test_what_was_not_finished_is_shown_and_finished_by_unlocking(qtbot: QtBot) -> None:
    view = UnfinishedView(opens, None)
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert view.heading.text() == "Registreringen blev inte klar"
    assert "servern har inte bekräftat kontot" in view.text.text()
    assert view.field is not None
    view.field.setText(PHRASE)
    view.button.click()
    await until(lambda: bool(got))
    assert got == ["session"]


async def test_beginning_again_is_asked_before_and_is_all_that_is_left_without_keys(qtbot: QtBot) -> None:
    view = UnfinishedView(None, None)
    qtbot.addWidget(view)
    view.show()
    agreed: list[bool] = []
    view.start_over.connect(lambda: agreed.append(True))
    assert view.field is None
    for answer in ("reject", "accept"):
        view.start_over_button.click()
        await until(lambda: any(d.isVisible() for d in view.findChildren(Dialog)))
        assert agreed == [], "nothing came of the first dialog, which was over before this one was opened"
        dialog = next(d for d in view.findChildren(Dialog) if d.isVisible())
        assert not dialog.accept_button.isDefault()
        getattr(dialog, answer)()
    await until(lambda: bool(agreed))
    assert agreed == [True]


async def test_first_start_shows_who_before_anything_is_made(qtbot: QtBot) -> None:
    office = Office()
    view = WelcomeView(office)
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.done.connect(got.append)
    view.server.setText("kansli://enrol?server=kansli.myndighet.example&code=ABCD-EFGH")
    assert (view.server.text(), view.code.text()) == ("kansli.myndighet.example", "ABCD-EFGH")
    view.next.click()
    await until(lambda: view.currentWidget() is view.key_page)
    assert office.enrolled == []
    assert not view.key_page.keys.by_keyring.isEnabled()
    assert not view.key_page.begin_button.isEnabled()
    view.key_page.keys.passphrase.setText(PHRASE)
    view.key_page.keys.again.setText(PHRASE + "x")
    assert not view.key_page.begin_button.isEnabled()
    view.key_page.keys.again.setText(PHRASE)
    view.key_page.begin_button.click()
    await until(lambda: bool(got))
    assert office.enrolled == [PHRASE]
    assert got == ["session"]
    assert view.key_page.keys.passphrase.text() == ""


async def test_the_account_is_made_once_whatever_is_typed_while_it_is_made(qtbot: QtBot) -> None:
    class Slow(Office):
        async def enrol(self, found: Person, passphrase: str | None, progress: Progress) -> str:
            made = await super().enrol(found, passphrase, progress)
            await self.answered.wait()
            return made

    office = Slow()
    view = WelcomeView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.code.setText("ABCD-EFGH")
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    page = view.key_page
    for words in (PHRASE, PHRASE + " till"):
        page.keys.passphrase.setText(words)
        page.keys.again.setText(words)
        page.begin()
        await until(lambda: bool(office.enrolled))
    assert not page.back_button.isEnabled()
    office.answered.set()
    await until(lambda: page.keys.passphrase.text() == "")
    assert office.enrolled == [PHRASE]


async def test_with_a_keyring_no_passphrase_is_asked_for(qtbot: QtBot) -> None:
    office = Office(keyring=True)
    view = WelcomeView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.code.setText("ABCD-EFGH")
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    view.key_page.begin_button.click()
    await until(lambda: bool(office.enrolled))
    assert office.enrolled == [None]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused("code-unknown"), "Aktiveringskoden stämmer inte."),
        (Refused("code-used"), "Aktiveringskoden är redan använd."),
        (Refused("code-expired"), "Aktiveringskoden är för gammal."),
        (Refused("code-withdrawn"), "Aktiveringskoden har återkallats av din myndighet."),
        (Unreachable(), "Servern svarar inte."),
    ],
)
async def test_a_bad_code_is_shown_in_place(qtbot: QtBot, error: Exception, sentence: str) -> None:
    view = WelcomeView(Office(error=error), server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.code.setText("ABCD-EFGH")
    view.look_up()
    await until(view.code_page.error.isVisible)
    assert view.code_page.error.text().startswith(sentence)
    assert view.currentWidget() is view.code_page
    assert view.next.isEnabled()


def test_only_our_own_links_are_taken_apart() -> None:
    assert parse_link("https://myndighet.example?server=a&code=b") is None
    assert parse_link("kansli://enrol?server=a") is None
    assert parse_link("kansli:join?server=a&code=b") is None  # another device's, and no activation code
    assert parse_link("kansli://[enrol?server=a&code=b") is None  # which Python's own parser raises at


# -- another computer of the same person ------------------------------------------------------------------------------


def joining(qtbot: QtBot, office: Office) -> WelcomeView:
    view = WelcomeView(office)
    qtbot.addWidget(view)
    view.show()
    view.have.click()
    assert view.currentWidget() is view.join
    view.join.name.setText("Resedator")
    return view


async def test_another_computer_shows_whose_account_it_gets_before_anything_is_made(qtbot: QtBot) -> None:
    office = Office()
    view = joining(qtbot, office)
    got: list[object] = []
    view.done.connect(got.append)
    join = view.join
    assert not join.next.isEnabled()
    join.code.setText("kansli:join?server=kansli.myndighet.example&code=ABCD-EFGH")
    assert (join.server.text(), join.code.text()) == ("kansli.myndighet.example", "ABCD-EFGH")
    join.next.click()
    await until(lambda: join.currentWidget() is join.who_page)
    assert office.paired == [("kansli.myndighet.example", "Resedator", "ABCD-EFGH", "")]
    assert known(join.who_page) == ["Handläggare", "Handläggare · Enheten för tillsyn"]
    assert office.enrolled == []
    assert not join.who_page.begin_button.isEnabled()
    join.who_page.keys.passphrase.setText(PHRASE)
    join.who_page.keys.again.setText(PHRASE)
    join.who_page.begin_button.click()
    assert not join.who_page.begin_button.isEnabled()
    assert not join.who_page.back_button.isEnabled()
    office.answered.set()
    await until(lambda: got == ["session of Resedator"])
    assert office.enrolled == [PHRASE]
    assert join.who_page.keys.passphrase.text() == ""


async def test_a_number_shows_digits_to_compare_and_going_back_ends_the_meeting(qtbot: QtBot) -> None:
    office = Office(keyring=True)
    join = joining(qtbot, office).join
    join.server.setText("kansli.myndighet.example")
    join.code.setText("123 456 789")
    join.begin_pairing()
    await until(lambda: join.currentWidget() is join.who_page)
    assert office.paired[-1][2:] == ("", "123 456 789")
    assert known(join.who_page)[2] == "042 117"
    assert "samma sex siffror" in known(join.who_page)[3]
    assert "Svara Ja på den andra" in join.who_page.text.text()
    join.who_page.back_button.click()
    assert join.currentWidget() is join.where_page
    await until(lambda: office.parted == 1)
    assert join.code.text() == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Reject("code"), "Koden stämmer inte."),
        (Refused("code-unknown"), "Ingen enhet väntar med den koden eller det numret."),
        (Refused("code-used"), "Koden eller numret har redan använts."),
        (Reject("enrol"), "De två enheterna har inte samma kod."),
        (Refused("pairing"), "Den andra enheten är inte kvar."),
        (Unreachable(), "Servern svarar inte."),
        (BadAddress(), "Serverns adress kan inte användas."),
    ],
)
async def test_what_keeps_a_computer_out_is_shown_in_place(qtbot: QtBot, error: Exception, sentence: str) -> None:
    join = joining(qtbot, Office(error=error)).join
    join.server.setText("kansli.myndighet.example")
    join.code.setText("ABCD-EFGH")
    join.begin_pairing()
    await until(join.where_page.error.isVisible)
    assert join.where_page.error.text().startswith(sentence)
    assert join.next.isEnabled()


async def test_a_no_on_the_other_computer_is_shown_and_one_may_try_again(qtbot: QtBot) -> None:
    office = Office(keyring=True)
    join = joining(qtbot, office).join
    join.server.setText("kansli.myndighet.example")
    join.code.setText("ABCD-EFGH")
    join.begin_pairing()
    await until(lambda: join.currentWidget() is join.who_page)
    office.error = Refused("pairing")
    office.answered.set()
    join.who_page.begin_button.click()
    await until(join.who_page.error.isVisible)
    assert join.who_page.error.text().startswith("Den andra enheten är inte kvar.")
    assert join.who_page.begin_button.isEnabled()
    assert office.enrolled == []


def test_the_code_is_read_out_of_a_picture_or_off_the_screen(qtbot: QtBot) -> None:
    join = JoinPages(Office())
    qtbot.addWidget(join)
    join.show()
    join.reader.found.emit(["något annat"])
    assert join.where_page.error.text().startswith("Det finns ingen sådan QR-kod.")
    join.reader.found.emit(["https://myndighet.example", "kansli:join?server=a&code=B-C"])
    assert (join.server.text(), join.code.text()) == ("a", "B-C")
    assert not join.where_page.error.isVisible()
    check(join)
    check_tab(join)
