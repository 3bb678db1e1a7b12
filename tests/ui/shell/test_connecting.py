# SPDX-License-Identifier: EUPL-1.2
"""While another computer of the same person connects: one pairing at a time, and Back ends it."""

import asyncio

from pytestqt.qtbot import QtBot

from app.arrival.device_pairing import PairingPeer
from tests.ui.shell.test_gate import Office, joining
from tests.world import until
from ui.kit.buttons import TextButton
from ui.shell.entry.second_device import JoinPages, is_number


class SlowOffice(Office):
    """First start in memory, where connecting waits for `connected`."""

    def __init__(self) -> None:
        super().__init__(keyring=True)
        self.connected = asyncio.Event()

    async def begin_pairing(self, server: str, name: str, *, code: str = "", number: str = "") -> PairingPeer:
        peer = await super().begin_pairing(server, name, code=code, number=number)
        await self.connected.wait()
        return peer


async def connecting(qtbot: QtBot, office: Office) -> JoinPages:
    join = joining(qtbot, office).join
    join.server.setText("kansli.myndighet.example")
    join.code.setText("AAAA")
    join.begin_pairing()
    await until(lambda: len(office.paired) == 1)
    return join


async def test_no_second_pairing_begins_while_one_connects(qtbot: QtBot) -> None:
    """It would end the first, whose person the page then shows."""
    office = SlowOffice()
    join = await connecting(qtbot, office)
    join.code.setText("BBBB")
    assert not join.next.isEnabled()
    join.begin_pairing()
    office.connected.set()
    await until(lambda: join.currentWidget() is join.who_page)
    assert [code for _, _, code, _ in office.paired] == ["AAAA"]


async def test_back_while_it_connects_ends_the_pairing(qtbot: QtBot) -> None:
    office, left = SlowOffice(), list[bool]()
    join = await connecting(qtbot, office)
    join.back.connect(lambda: left.append(True))
    next(b for b in join.where_page.findChildren(TextButton) if b.text() == "Tillbaka").click()
    await until(lambda: office.parted == 1)
    assert left == [True]
    office.connected.set()
    join.start("")
    assert join.next.isEnabled()
    join.begin_pairing()
    await until(lambda: join.currentWidget() is join.who_page)
    assert len(office.paired) == 2


def test_a_number_has_only_ascii_digits() -> None:
    assert is_number("123 456-789")
    assert not is_number("12345678²")
    assert not is_number("12345678٣")
    assert not is_number("12345678")
