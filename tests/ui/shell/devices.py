# SPDX-License-Identifier: EUPL-1.2
"""Devices that another one lets in, and what the tests of devices read on screen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from app.core import clock
from app.core.ids import DevId
from app.session import Session
from sync.client.devices.device_pairing import Guest
from tests.ui.shell.kept_account import TOWER, served_account
from tests.ui.shell.served import Served
from tests.world import World, until
from ui.kit.dialogs import Dialog


@pytest_asyncio.fixture
async def account(tmp_path: Path) -> AsyncIterator[Served]:
    """The devices' server."""
    async with served_account(tmp_path / "agency") as running:
        yield running


@pytest_asyncio.fixture
async def tower(account: Served) -> Session:
    """The session of TOWER, which is online: it can let others in, and name them."""
    session = await account.open(TOWER)
    await until(lambda: session.personal.ready and session.status.waiting == 0)
    return session


def guest_of(w: World, name: str = "Resedator") -> Guest:
    """A computer that has no account yet."""
    return Guest(dialer=w.dialer(), name=name, system="Windows 11", now_ms=clock.now_ms)


async def let_in(w: World, session: Session, name: str) -> DevId:
    """The session's device lets in another one, which signs in once. Returns its id."""
    invitation, guest = session.devices.invite(), guest_of(w, name)
    offer = await invitation.open(by_code=True)
    arriving = asyncio.ensure_future(invitation.arrived())
    await guest.join(code=offer.code)
    await arriving
    await invitation.admit()
    joined = await guest.finish(lambda own: None)
    return joined.account.dev


def texts(view: QWidget) -> list[str]:
    """The visible labels' texts."""
    QApplication.processEvents()
    return [x.text() for x in view.findChildren(QLabel) if x.isVisible() and x.text()]


def press(view: QWidget, name: str) -> None:
    """Presses the visible button of this name."""
    QApplication.processEvents()
    next(b for b in view.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name).click()


async def asked(view: QWidget, title: str = "") -> Dialog:
    """The dialog that a view opens, with this title if one is given."""

    def shown() -> list[Dialog]:
        return [d for d in view.findChildren(Dialog) if d.isVisible() and title in ("", d.windowTitle())]

    await until(lambda: bool(shown()))
    return shown()[0]
