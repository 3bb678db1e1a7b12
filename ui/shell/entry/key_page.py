# SPDX-License-Identifier: EUPL-1.2
"""The page on which an account is made: whose account it becomes, how it will be unlocked, and the making of it. Other
code supplies the person and makes the account."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.progress import ProgressRow
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.entry.key_choice import KeyChoice, KeyStore

Progress = Callable[[str, int, int], None]
"""Called with what is going on (already translated), how much is done, and how much in all (0 = unknown)."""

Make = Callable[[Any, str | None, Progress], Awaitable[object]]
"""Makes the account of a person, with a passphrase (None: the computer's key store keeps the key); returns the
session."""


class Named(Protocol):
    """A person as they are in the agency's directory: name, title and unit."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...


class PersonCard(Card):
    """A card that shows a person's name, title and unit, and below them what the page asks about that person."""

    def __init__(self) -> None:
        super().__init__(margin=12, spacing=6)
        self._name, self._what = label("", "heading"), label("", "muted")
        self.content.addWidget(self._name)
        self.content.addWidget(self._what)
        self._more: Sequence[QWidget] = ()

    def show_person(self, person: Named, more: Sequence[QWidget] = ()) -> None:
        """Shows `person`, with the widgets `more` under their name. The widgets of the person who was shown before are
        deleted."""
        what = " · ".join(x for x in (person.title, person.unit) if x)
        self._name.setText(person.name)
        self._what.setText(what)
        self._what.setVisible(bool(what))
        for part in self._more:
            part.hide()
            part.deleteLater()
        self._more = more
        for part in more:
            self.content.addWidget(part)


class KeyPage(GatePage):
    """The page that asks "Is this you?" and how Kansli is to be unlocked, and then makes the account by `make`, which
    gets the person, the passphrase (None: the computer's key store keeps the key) and a function to report progress
    with, and returns the session or raises. `left` is emitted by the button Back, `done` with the session, `failed`
    with the error, which is also shown here. `prefix` is put before an error's code to look up the page's own sentence
    for it first, for example "join-"."""

    left = Signal()
    done = Signal(object)
    failed = Signal(object)

    def __init__(
        self, store: KeyStore, text: str, make: Make, *, prefix: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(tr("Is this you?"), text, parent)
        self._make, self._prefix = make, prefix
        self._person: Named | None = None
        self._progress: ProgressRow | None = None
        self.who = PersonCard()
        self.body.addWidget(self.who)
        self.body.addSpacing(8)
        self.keys = KeyChoice(store)
        self.body.addWidget(self.keys)
        self.back_button = self.add_button(TextButton(tr("Back"), self.left.emit, kind="quiet"))
        self.begin_button = self.add_button(TextButton(tr("Begin"), self.begin, kind="primary"))
        self.keys.changed.connect(self._refresh)
        self.keys.entered.connect(self.begin)
        self._refresh()

    def ask(self, person: Named, *more: QWidget) -> None:
        """Shows the person whose account is to be made, with the widgets `more` under their name. Nothing is made
        yet."""
        self._person = person
        self.clear_error()
        self.who.show_person(person, more)
        self._refresh()

    def begin(self) -> None:
        """Makes the account, in the background; `done` or `failed` is emitted later. Does nothing until a person is
        shown and an unlock method is chosen, or while it is being made already."""
        if self.begin_button.isEnabled() and self._person is not None:
            self.clear_error()
            self._progress = ProgressRow(tr("Preparing …"))
            self.body.addWidget(self._progress)
            self._refresh()
            run(self, self._begin(self._person), on_error=self._on_failed)

    async def _begin(self, person: Named) -> None:
        session = await self._make(person, self.keys.chosen, self._on_progress)
        self.keys.forget()
        self.done.emit(session)

    def _refresh(self) -> None:
        self.back_button.setEnabled(self._progress is None)
        self.begin_button.setEnabled(self._progress is None and self._person is not None and self.keys.ready)

    def _on_progress(self, text: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress.set_text(text)
            self._progress.set_progress(done, total)

    def _on_failed(self, error: Exception) -> None:
        if self._progress is not None:
            self._progress.hide()
            self._progress.deleteLater()
            self._progress = None
        self._refresh()
        self.show_error(error, self._prefix)
        self.failed.emit(error)
