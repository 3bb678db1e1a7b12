# SPDX-License-Identifier: EUPL-1.2
"""First start on another computer of the same person: where the other computer waits, whose account it is, how it will
be unlocked, and under way.

Nothing is made before the person has seen whose account it becomes.
"""

import asyncio
import string
from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core import machine
from app.devices.inviting import Pointer, read_pointer
from app.errors import ServerNotAllowed
from ui.errors import sentence
from ui.kit.buttons import TextButton
from ui.kit.qr_reader import QrReader
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.entry.key_choice import KeyStore
from ui.shell.entry.key_page import KeyPage, Named, Progress
from ui.shell.entry.server_field import ServerField

NUMBER_DIGITS = 9


class PeerAccount(Named, Protocol):
    """The person whose account the other device of a pairing has, as that device reports it. `digits`: six digits to
    compare; "" if the devices were paired by code."""

    @property
    def digits(self) -> str: ...


class Joining(KeyStore, Protocol):
    """What the pages need from the program to make this computer another device of a person: connect to the other
    device, stop, and join the account."""

    async def begin_pairing(self, server: str, name: str, *, code: str = "", number: str = "") -> PeerAccount:
        """Connects to the device that has the account. Raises with a code of ui/errors/."""
        ...

    async def stop_pairing(self) -> None:
        """Ends the pairing."""
        ...

    async def join(self, chosen: Any, passphrase: str | None, progress: Progress) -> object:
        """Waits until the other device accepts, and makes everything here. Returns the session."""
        ...


def spaced(digits: str) -> str:
    """Digits in groups of three."""
    return " ".join(digits[i : i + 3] for i in range(0, len(digits), 3))


def is_number(text: str) -> bool:
    """Whether `text`, as a person typed it, is a nine-digit number, which another device can show for pairing in place
    of the longer pairing code. Spaces and dashes do not count."""
    signs = [c for c in text if not c.isspace() and c != "-"]
    return len(signs) == NUMBER_DIGITS and all(c in string.digits for c in signs)


class JoinPages(QStackedWidget):
    """The pages that make this computer another device of a person who has Kansli already. `done` is emitted with the
    session, `back` by the button Back."""

    done = Signal(object)
    back = Signal()

    def __init__(self, joining: Joining, servers: Sequence[str] = (), parent: QWidget | None = None) -> None:
        """`joining` does what the pages ask for. `servers` are those that policy allows; empty for any."""
        super().__init__(parent)
        self._joining = joining
        self._connecting: asyncio.Task[None] | None = None
        self.server = ServerField(tr("Server address"), servers)
        self.reader = QrReader(tr("Picture with a QR code"))
        self.reader.found.connect(self._on_texts)
        self.setAccessibleName(tr("Another computer of yours"))
        self._make_where_page()
        self._make_who_page()

    def _make_where_page(self) -> None:
        text = tr(
            "On the computer that has your account, open Settings, Devices, Add a device. It shows what you need."
        )
        page = self.where_page = GatePage(tr("Another computer of yours"), text)
        page.body.addWidget(self.server)
        self.code = page.add_field(
            tr("Code or number from the other computer"), hint="XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XX"
        )
        self.name = page.add_field(tr("What this computer is to be called"))
        self.name.setText(machine.name())
        self.name.setMaxLength(64)
        page.body.addSpacing(4)
        page.body.addWidget(self.reader)
        page.add_button(TextButton(tr("Back"), self._go_back, kind="quiet"))
        self.next = page.add_button(TextButton(tr("Continue"), self.begin_pairing, kind="primary"))
        self.server.changed.connect(self._on_text)
        self.server.entered.connect(self.begin_pairing)
        for field in (self.code, self.name):
            field.textChanged.connect(self._on_text)
            field.returnPressed.connect(self.begin_pairing)
        self._on_text()
        self.addWidget(page)

    def _make_who_page(self) -> None:
        text = tr("The account of this person comes to this computer. Answer Yes on the other one.")
        self.who_page = KeyPage(self._joining, text, self._joining.join, prefix="join-")
        self.who_page.left.connect(self._leave)
        self.who_page.done.connect(self.done)
        self.addWidget(self.who_page)

    def start(self, server: str) -> None:
        """Shows the first of the pages that make this computer another device of a person. `server` is the address, if
        it is known already; otherwise ""."""
        self.setCurrentWidget(self.where_page)
        if server and self.server.to_fill:
            self.server.setText(server)
        (self.server if self.server.to_fill else self.code).setFocus()

    # -- where --------------------------------------------------------------------------------------------------------

    def _on_text(self) -> None:
        for text in (self.server.text(), self.code.text()):
            pointer = read_pointer(text)
            if pointer is not None:
                self._take(pointer)
        filled = bool(self.server.text() and self.code.text().strip() and self.name.text().strip())
        self.next.setEnabled(filled and self._connecting is None)

    def _take(self, pointer: Pointer) -> None:
        if self.server.setText(pointer.server):
            self.code.setText(pointer.code)
            self.where_page.clear_error()
        else:
            self.code.clear()
            self.where_page.show_error(ServerNotAllowed())

    def _on_texts(self, texts: Sequence[str]) -> None:
        """Takes the `texts` of the QR codes in a picture or on the screen: fills in the first that names a server and a
        pairing code, or shows that there is none."""
        pointer = next((p for text in texts if (p := read_pointer(text)) is not None), None)
        if pointer is None:
            self.where_page.error.show_text(sentence("no-qr").text)
        else:
            self._take(pointer)
            self.next.setFocus()

    def begin_pairing(self) -> None:
        """Connects to the person's other device, in the background, and then shows whose account it has, or the error
        on this page. Does nothing while the button for it is disabled: a field is empty, or it is connecting and no
        field has been edited since."""
        if self.next.isEnabled():
            self.where_page.clear_error()
            self.where_page.spinner.start()
            self._connecting = run(self, self._begin_pairing(), on_error=self._pairing_failed)
            self._on_text()

    async def _begin_pairing(self) -> None:
        typed = self.code.text().strip()
        by = {"number": typed} if is_number(typed) else {"code": typed}
        found = await self._joining.begin_pairing(self.server.text(), self.name.text().strip(), **by)
        self._end_connecting()
        self.who_page.ask(found, *_compared(found))
        self.setCurrentWidget(self.who_page)
        self.who_page.keys.take_focus()

    def _pairing_failed(self, error: Exception) -> None:
        self._end_connecting()
        self.where_page.show_error(error, "join-")
        self.code.setFocus()

    def _end_connecting(self) -> None:
        self._connecting = None
        self.where_page.spinner.stop()
        self._on_text()

    def _go_back(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._end_connecting()
            run(self, self._joining.stop_pairing())
        self.back.emit()

    def _leave(self) -> None:
        self.code.clear()
        self.setCurrentWidget(self.where_page)
        run(self, self._joining.stop_pairing())


def _compared(found: PeerAccount) -> list[QWidget]:
    if not found.digits:
        return []
    text = tr("The other computer must show the same six digits. If not, go back: somebody is between.")
    return [label(spaced(found.digits), "home", heading=False), label(text, "small", wrap=True)]
