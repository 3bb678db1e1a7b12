# SPDX-License-Identifier: EUPL-1.2
"""The views before a session is open: first start, return by the recovery sheet, finishing an enrolment that was cut
off, unlocking. They open a session through the office; the program shows them, and the window after them."""

import asyncio
from collections.abc import Callable

from app.bootstrap import Office
from app.session import Session
from app.setting import entries
from app.settings import SERVER, SERVERS
from app.unlocking import SlotKind
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.shell.entry.card_field import CardMethod
from ui.shell.entry.gate import GatePage
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.entry.recovery_pages import ReturnView
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView, WithCard
from ui.shell.entry.welcome import Address, CodeView, WelcomeView

GateView = CodeView | GatePage


class EntryViews:
    """Makes the views that are shown before a session of this profile is open. `opened` is called with the session,
    `show` with a view that replaces the one that is shown."""

    def __init__(self, office: Office, opened: Callable[[Session], object], show: Callable[[GateView], object]) -> None:
        """`opened` is called when a view has opened a session; `show` when it leads to another view."""
        self._office, self._opened, self._show = office, opened, show

    def welcome(self, link: str = "") -> WelcomeView:
        """The view of a first start. `link` is an invitation link: its server and code are filled in, and nothing more
        is done; an error is shown in their place if policy does not allow the server. "": the server of the settings is
        filled in."""
        settings = self._office.settings
        server, servers = link or settings.get(SERVER), entries(settings.get(SERVERS))
        view = WelcomeView(self._office, server=server, servers=servers)
        view.done.connect(self._opened)
        view.lost.connect(lambda typed: self._show(self._returning(typed)))
        return view

    def _returning(self, typed: Address) -> ReturnView:
        settings = self._office.settings
        server, servers = typed.server or settings.get(SERVER), entries(settings.get(SERVERS))
        view = ReturnView(self._office, server=server, code=typed.code, servers=servers)
        view.done.connect(self._opened)
        view.left.connect(lambda: self._show(self.welcome()))
        return view

    def unfinished(self) -> UnfinishedView:
        """The view after a first start that was cut off: the person finishes it or starts over."""
        office, kinds = self._office, self._office.kinds()
        view = UnfinishedView(
            office.resume if SlotKind.PASSPHRASE in kinds else None,
            office.resume_by_keyring if SlotKind.KEYRING in kinds else None,
        )
        view.unlocked.connect(self._opened)
        view.start_over.connect(lambda: self._start_over(view))
        return view

    def _start_over(self, view: UnfinishedView) -> None:
        if run_guarded(view, self._office.start_over):
            self._show(self.welcome())

    def usual(self, *, at_once: bool = False) -> GatePage:
        """The view that unlocks the store; if policy has forbidden its only unlock method, the view that replaces the
        method. `at_once`: the computer's key store is asked at once, without a click; only if it unlocks this store,
        and not in the view that replaces the method."""
        forbidden = self._office.unlocking.forbidden
        if forbidden is None:
            return self.unlock(at_once=at_once)
        view = NewUnlockMethodView(
            forbidden,
            self._office.replace,
            self._office.passphrase_rules(),
            look=self._office.unlocking.card,
            to_keyring=not self._office.allowed(SlotKind.PASSPHRASE),
        )
        view.unlocked.connect(self._opened)
        return view

    def unlock(self, *, at_once: bool = False) -> UnlockView:
        """The view that unlocks the store, by passphrase, computer's key store or smart card, as the store has it.
        `at_once`: the key store, if it is one of the methods, is asked without a click, as when the program starts, but
        not after locking."""
        kinds, keys = self._office.kinds(), self._office.unlocking
        view = UnlockView(
            self._office.unlock if SlotKind.PASSPHRASE in kinds else None,
            self._office.unlock_keyring if SlotKind.KEYRING in kinds else None,
            WithCard(CardMethod(keys.card, keys.unlock_card), self._office.open_by_card)
            if SlotKind.CARD in kinds
            else None,
        )
        view.unlocked.connect(self._opened)
        if self._office.withholds_keyring:
            view.show_message(
                view.heading.text(),
                tr("Kansli was locked when it ended, so the key store is not asked this time."),
            )
        if at_once and SlotKind.KEYRING in kinds:
            asyncio.get_running_loop().call_soon(view.unlock_with_keyring)
        return view
