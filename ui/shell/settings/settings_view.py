# SPDX-License-Identifier: EUPL-1.2
"""Settings: language, theme, security, notifications, about. What policy has fixed is shown as fixed."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.ids import RoomId
from app.lock_settings import CURTAIN, LOCK
from app.notification_settings import (
    NOTIFICATION_CONTENT,
    NOTIFICATION_SOUND,
    NOTIFICATION_WINDOW,
    NOTIFICATIONS,
    NOTIFY_REACTIONS,
    WORKING_DAYS,
    WORKING_FROM,
    WORKING_TO,
)
from app.pin import Pin
from app.pins import pin_rules
from app.session import Session
from app.settings import (
    ALLOW_EXPORT,
    ANNOUNCE,
    AUTO_LOCK_MINUTES,
    AUTOSTART,
    CLOSE_TO_TRAY,
    DENSITY,
    LANGUAGE,
    LOG_LEVEL,
    PROXY_ADDRESS,
    PROXY_MODE,
    ROOM_IN_TITLE,
    SHOW_PRESENCE,
    SHOW_READING,
    SHOW_TYPING,
    TEXT_SIZE,
    THEME,
    Settings,
)
from app.unlocking import Unlocking
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, SectionHeader, scroll
from ui.kit.scale import hold
from ui.kit.style import column, label, set_props
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.settings.about_card import AboutCard
from ui.shell.settings.devices_card import DevicesCard
from ui.shell.settings.invitations_card import InvitationsCard
from ui.shell.settings.keys_card import KeysCard
from ui.shell.settings.owned_card import OwnedCard
from ui.shell.settings.pin_row import PinRow
from ui.shell.settings.received_files_card import ReceivedFilesCard
from ui.shell.settings.recovery_card import RecoveryCard
from ui.shell.settings.setting_rows import SettingRows, managed, row
from ui.tool_parts import JoinedTool


class SettingsView(QWidget):
    """The page with all settings. Changes take effect at once. It emits `lock` when the person wants to lock now,
    `room_chosen` with a room, and `key_change` with a change for which the store must be closed. `keys` changes the
    unlock methods; None: they are not shown."""

    lock = Signal()
    room_chosen = Signal(object)
    """RoomId: one that the person owns alone."""
    key_change = Signal(object)
    """KeyChange."""

    def __init__(
        self,
        session: Session,
        keys: Unlocking | None = None,
        parent: QWidget | None = None,
        *,
        tools: Sequence[JoinedTool] = (),
        shows_windows: bool | Callable[[], Awaitable[bool]] = True,
    ) -> None:
        """`tools` are the window's tools, whose own settings are shown under their titles. `shows_windows`:
        whether notifications can be in small windows of ours on this desktop; their setting is shown only then. A
        function, if the desktop has to be asked: it is called each time the page is shown."""
        super().__init__(parent)
        self._shows_windows = shows_windows
        self._session = session
        self._settings: Settings = session.settings
        self.rows = SettingRows(self, self._settings)
        set_props(self, frame="window")
        self.setAccessibleName(tr("Settings"))
        inner = QWidget()
        hold(inner, most_width=760)
        page = column(inner, margins=(34, 26, 34, 24), spacing=10)
        page.addWidget(label(tr("Settings"), "home"))
        page.addSpacing(8)
        page.addWidget(self._account())
        self._add_look(page)
        self._add_security(page, keys)
        self._add_person(page, session)
        self._add_program(page, session, tools)
        page.addStretch(1)
        column(self).addWidget(scroll(inner, tr("Settings")))
        if shows_windows is not True:
            self.rows.rows[NOTIFICATION_WINDOW.key].hide()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if callable(self._shows_windows):
            run(self, self._show_what_works(self._shows_windows))

    async def _show_what_works(self, shows_windows: Callable[[], Awaitable[bool]]) -> None:
        self.rows.rows[NOTIFICATION_WINDOW.key].setVisible(await shows_windows())

    def _add_look(self, page: QVBoxLayout) -> None:
        page.addWidget(SectionHeader(tr("Look and language")))
        page.addWidget(self.rows.card(LANGUAGE, THEME, TEXT_SIZE, DENSITY))

    def _add_security(self, page: QVBoxLayout, keys: Unlocking | None) -> None:
        page.addWidget(SectionHeader(tr("Security")))
        locking = self.rows.card(LOCK, AUTO_LOCK_MINUTES)
        if keys is not None:
            self.pin = PinRow(
                Pin(self._session.store.notes),
                keys,
                lambda: pin_rules(self._settings),
                lambda: self._settings.get(LOCK) == CURTAIN,
            )
            bind(self.pin, self._settings.changed, lambda key: self.pin.on_lock_changed() if key == LOCK.key else None)
            locking.content.addWidget(self.pin)
        locking.content.addWidget(self._lock_now())
        page.addWidget(locking)
        if keys is not None:
            self.keys = KeysCard(keys)
            self.keys.change_asked.connect(self.key_change)
            page.addWidget(self.keys)
        fixed = managed(self._settings)
        if fixed is not None:
            page.addWidget(SectionHeader(tr("Managed by your organisation")))
            page.addWidget(fixed)

    def _add_person(self, page: QVBoxLayout, session: Session) -> None:
        page.addWidget(SectionHeader(tr("Devices")))
        self.devices = DevicesCard(
            session.devices, session.unsent, lambda: session.status.server, lambda room: _title(session, room)
        )
        page.addWidget(self.devices)
        page.addWidget(SectionHeader(tr("Recovery")))
        self.recovery = RecoveryCard(session)
        page.addWidget(self.recovery)
        page.addWidget(SectionHeader(tr("Invitations")))
        self.invitations = InvitationsCard(session)
        page.addWidget(self.invitations)
        page.addWidget(SectionHeader(tr("Rooms that only you own")))
        self.owned = OwnedCard(session.rooms)
        self.owned.room_chosen.connect(self.room_chosen)
        page.addWidget(self.owned)

    def _add_program(self, page: QVBoxLayout, session: Session, tools: Sequence[JoinedTool]) -> None:
        page.addWidget(SectionHeader(tr("Notifications")))
        page.addWidget(
            self.rows.card(
                NOTIFICATIONS,
                NOTIFICATION_CONTENT,
                NOTIFICATION_SOUND,
                NOTIFICATION_WINDOW,
                WORKING_DAYS,
                WORKING_FROM,
                WORKING_TO,
                NOTIFY_REACTIONS,
                ANNOUNCE,
                ROOM_IN_TITLE,
            )
        )
        page.addWidget(SectionHeader(tr("Privacy")))
        page.addWidget(self.rows.card(SHOW_PRESENCE, SHOW_TYPING, SHOW_READING, about=True))
        for tool in tools:
            if tool.settings:
                page.addWidget(SectionHeader(tr(tool.title)))
                page.addWidget(self.rows.card(*tool.settings, about=True))
        page.addWidget(SectionHeader(tr("Received files")))
        self.received_files = ReceivedFilesCard(
            session.files, self.rows, session.copies, lambda: self._settings.get(ALLOW_EXPORT)
        )
        page.addWidget(self.received_files)
        page.addWidget(SectionHeader(tr("This computer")))
        page.addWidget(self.rows.card(AUTOSTART, CLOSE_TO_TRAY, LOG_LEVEL, about=True))
        page.addWidget(SectionHeader(tr("Connection")))
        page.addWidget(self.rows.card(PROXY_MODE, PROXY_ADDRESS, about=True))
        page.addWidget(SectionHeader(tr("About Kansli")))
        self.about = AboutCard(session.report)
        page.addWidget(self.about)

    def _account(self) -> QWidget:
        me = self._session.people.me
        card = Card(spacing=2)
        card.content.addWidget(label(me.name, "strong"))
        self._place = label("", "small")
        card.content.addWidget(self._place)
        bind(self, self._session.status_changed, self._show_place)
        self._show_place()
        return card

    def _show_place(self) -> None:
        """Shows in the settings, under the person's name, their title and unit and the server's address, all of which
        may change."""
        me = self._session.people.me
        self._place.setText(" · ".join(x for x in (me.title, me.unit, self._session.status.server) if x))

    def _lock_now(self) -> QWidget:
        button = TextButton(tr("Lock now"), self.lock.emit, icon="lock")
        return row(tr("Lock Kansli"), button)


def _title(session: Session, room: RoomId) -> str:
    """The room's title; "" for one that no list shows."""
    return next((r.title for r in session.rooms.rooms() if r.room == room), "")
