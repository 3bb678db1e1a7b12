# SPDX-License-Identifier: EUPL-1.2
"""First start: the server and the activation code, whose code it is, how the account will be unlocked, and under
way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.arrival.enrolling import CODE_GROUPS
from app.core import link_fields
from app.errors import ServerNotAllowed
from ui.kit.buttons import TextButton
from ui.kit.chip import Chip
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.entry.key_choice import KeyStore
from ui.shell.entry.key_page import KeyPage, Named, Progress
from ui.shell.entry.second_account import SecondAccountPage
from ui.shell.entry.second_device import Joining, JoinPages
from ui.shell.entry.server_field import ServerField


class CodeLookup(Named, Protocol):
    """What the server returns for an activation code: the person whom it is for, the agency, and the server itself. It
    is shown before anything is made."""

    @property
    def agency(self) -> str: ...
    @property
    def server(self) -> str: ...


class Invited(CodeLookup, Protocol):
    """What the server returns for an activation code at a first start. `here` is true if the code's person has an
    account already."""

    @property
    def here(self) -> bool: ...


class ByCode(KeyStore, Protocol):
    """What the pages need from the program for an activation code: look up whose it is, and enrol with it."""

    async def look_up(self, server: str, code: str) -> CodeLookup:
        """Asks the server what the code is bound to. Raises with a code of ui/errors/."""
        ...

    async def enrol(self, found: Any, passphrase: str | None, progress: Progress) -> object:
        """Makes account and device and registers them; None = the key is kept by the computer's key store."""
        ...


class Enrolment(ByCode, Joining, Protocol):
    """What the pages of first start need from the program: enrolment by an activation code, and joining as another
    device."""

    async def look_up(self, server: str, code: str) -> Invited:
        """As in `ByCode`."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """A server and an activation code, as a person typed them or out of a link `kansli://enrol?server=…&code=…`."""

    server: str
    code: str


def parse_link(text: str) -> Address | None:
    """Reads an invitation link. None if `text` is no such link."""
    address = link_fields.read(text, "enrol", "server", "code")
    return Address(*address) if address is not None else None


class CodeView(QStackedWidget):
    """Two pages: one for an activation code, and one that shows whose it is and asks how Kansli will be unlocked.
    `done` is emitted with the session."""

    done = Signal(object)

    def __init__(
        self, enrolment: ByCode, *, server: str = "", servers: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        """`enrolment` looks up whose a code is, and makes the account. `server` is the server's address if it is known,
        or an invitation link. `servers` are those that policy allows; empty for any."""
        super().__init__(parent)
        self._enrolment = enrolment
        self._servers = tuple(servers)
        self._looking = False
        """▲ One code at a time: otherwise the answer to another code could come while a person is being confirmed."""
        self.setAccessibleName(tr("First start"))
        self._make_code_page(server)
        self.key_page = KeyPage(enrolment, tr("This is what your agency has registered."), enrolment.enrol)
        self.key_page.left.connect(lambda: self.setCurrentWidget(self.code_page))
        self.key_page.done.connect(self.done)
        self.addWidget(self.key_page)

    def _hint(self) -> str:
        """The form of the code: it is longer than the field."""
        return tr("{n} groups of four: XXXX-XXXX- …").format(n=CODE_GROUPS)

    def _add_entries(self, page: GatePage) -> None:
        """Adds buttons for other entries (another computer, the recovery sheet) to the page of the code."""

    def _make_code_page(self, server: str) -> None:
        text = (
            tr("You need the activation code that you have got from your agency.")
            if self._servers
            else tr("You need the server's address and the activation code that you have got from your agency.")
        )
        page = self.code_page = GatePage(tr("Welcome"), text)
        self.server = ServerField(tr("Server address or link"), self._servers)
        page.body.addWidget(self.server)
        self.code = page.add_field(tr("Activation code"), hint=self._hint())
        self._add_entries(page)
        self.next = page.add_button(TextButton(tr("Continue"), self.look_up, kind="primary"))
        self.server.changed.connect(self._on_text)
        self.server.entered.connect(self.look_up)
        self.code.textChanged.connect(self._on_text)
        self.code.returnPressed.connect(self.look_up)
        link = parse_link(server)
        if link is not None:
            self._take(link)
        elif server:
            self.server.setText(server)
        self._on_text()
        self.addWidget(page)

    def showEvent(self, event: object) -> None:
        (self.server if self.server.to_fill else self.code).setFocus()

    def _take(self, link: Address) -> None:
        """Fills in the server and code of an invitation link. If policy does not allow that server, fills in neither
        and shows an error."""
        if self.server.setText(link.server):
            self.code.setText(link.code)
        else:
            self.code.clear()
            self.code_page.show_error(ServerNotAllowed())

    def _on_text(self) -> None:
        link = parse_link(self.server.text()) or parse_link(self.code.text())
        if link is not None:
            self._take(link)
        self.next.setEnabled(bool(self.server.text() and self.code.text().strip()) and not self._looking)

    def look_up(self) -> None:
        """Asks the server, in the background, whose activation code was typed; then the next page is shown, or the
        error. Does nothing until the button for it is enabled: both fields are filled, and no earlier question is
        open."""
        if self.next.isEnabled():
            self.code_page.clear_error()
            self._look(True)
            run(self, self._look_up(), on_error=self._code_failed)

    async def _look_up(self) -> None:
        found = await self._enrolment.look_up(self.server.text(), self.code.text().strip())
        self._look(False)
        self._ask_person(found)

    def _ask_person(self, found: CodeLookup) -> None:
        """Shows the page that asks whether the activation code's person is the one at the screen, and how Kansli will
        be unlocked."""
        self.key_page.ask(found, *self._about(found))
        self.setCurrentWidget(self.key_page)
        self.key_page.keys.take_focus()

    def _look(self, looking: bool) -> None:
        self._looking = looking
        (self.code_page.spinner.start if looking else self.code_page.spinner.stop)()
        self._on_text()

    def _about(self, found: CodeLookup) -> list[QWidget]:
        """What is shown under the person's name."""
        return [label(found.agency, "muted"), Chip(tr("The code belongs to the agency"), "success", "verified")]

    def _code_failed(self, error: Exception) -> None:
        self._look(False)
        self.code_page.show_error(error)
        self.code.setFocus()


class WelcomeView(CodeView):
    """The pages of first start: the person uses an activation code, makes this computer another device of theirs, or
    has lost their computer. In the last case it emits `lost` with the server and code typed so far (an Address), for
    the pages of the recovery sheet; otherwise `done` with the session."""

    lost = Signal(object)
    """The person returns by the recovery sheet. Emitted with the Address that is typed so far."""

    def __init__(
        self, enrolment: Enrolment, *, server: str = "", servers: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(enrolment, server=server, servers=servers, parent=parent)
        self._first = enrolment
        self._second: CodeLookup | None = None
        self.second_page = SecondAccountPage()
        self.second_page.recovery_sheet.connect(self._lose)
        self.second_page.other.connect(self._join)
        self.second_page.start_over.connect(self._begin_empty)
        self.second_page.left.connect(lambda: self.setCurrentWidget(self.code_page))
        self.addWidget(self.second_page)
        self.join = JoinPages(enrolment, servers)
        self.join.done.connect(self.done)
        self.join.back.connect(lambda: self.setCurrentWidget(self.code_page))
        self.addWidget(self.join)

    def _add_entries(self, page: GatePage) -> None:
        self.have = TextButton(tr("I already have Kansli on another computer"), self._join, kind="link")
        self.lost_button = TextButton(tr("I have lost my computer"), self._lose, kind="link")
        page.body.addSpacing(6)
        for button in (self.have, self.lost_button):
            page.body.addWidget(button)

    async def _look_up(self) -> None:
        """Asks the server whose activation code it is, and shows the next page. An error of the server or the network
        is raised. ▲ Leads a person who has an account already back to that account. A second account is made only if
        the person asks for it."""
        found = await self._first.look_up(self.server.text(), self.code.text().strip())
        self._look(False)
        if not found.here:
            self._ask_person(found)
            return
        self._second = found
        self.second_page.show_person(found)
        self.setCurrentWidget(self.second_page)
        self.second_page.recovery_sheet_button.setFocus()

    def _begin_empty(self) -> None:
        if self._second is not None:
            self._ask_person(self._second)

    def _lose(self) -> None:
        self.lost.emit(Address(self.server.text(), self.code.text().strip()))

    def _join(self) -> None:
        self.setCurrentWidget(self.join)
        self.join.start(self.server.text())
