# SPDX-License-Identifier: EUPL-1.2
"""A member of a room as a row that can be pressed: who it is, and how surely."""

from collections.abc import Callable

from PySide6.QtGui import QResizeEvent

from app.core.ids import Uid
from app.presence.colleagues import PersonPresence
from app.rooms.service import MemberInfo
from ui.kit import theme
from ui.kit.avatar import Avatar
from ui.kit.buttons import RowButton
from ui.kit.chip import Chip
from ui.kit.plain import set_tip
from ui.kit.presence import presence_line
from ui.kit.scale import px
from ui.kit.style import ElidedLabel, column, line
from ui.kit.translate import tr
from ui.shell.words import history_name, role_name, verified_chip

_MARGIN_PX, _SPACING_PX, _PICTURE_PX = 6, 8, 24


class MemberRow(RowButton):
    """A row that shows one member of a room and can be pressed: `pressed_for` is then called with the row and the
    member."""

    def __init__(self, member: MemberInfo, pressed_for: Callable[["MemberRow", MemberInfo], object]) -> None:
        super().__init__("", lambda: pressed_for(self, self._member))
        self._member = member
        layout = line(self, margins=(_MARGIN_PX, 5, _MARGIN_PX, 5), spacing=_SPACING_PX)
        person = member.person
        self._picture = Avatar(person.initials, person.colour, person.name, _PICTURE_PX)
        self._name = ElidedLabel(person.name)
        self._chip = Chip("")
        layout.addWidget(self._picture)
        self._words = ElidedLabel("", "small")
        self._words.setVisible(False)
        texts, top = column(spacing=0), line(spacing=_SPACING_PX)
        top.addWidget(self._name, 1)
        top.addWidget(self._chip)
        texts.addLayout(top)
        texts.addWidget(self._words)
        layout.addLayout(texts, 1)
        self.take_clicks()
        theme.on_change(self, self._fit)

    @property
    def uid(self) -> Uid:
        """The member's person."""
        return self._member.person.uid

    def show_member(self, member: MemberInfo, presence: PersonPresence | None = None) -> None:
        """Shows `member` in this row, from now on. `presence` is what is known of whether they can be reached; None:
        nothing."""
        self._member, person = member, member.person
        word, kind, icon, meaning = verified_chip(person)
        name = tr("{name} (you)").format(name=person.name) if person.is_me else person.name
        role = role_name(member.role)
        spoken = tr("{name}, {role}, {verified}").format(name=name, role=role, verified=meaning)
        if member.invited:
            spoken = tr("{member}. Invited, has nothing in the room yet").format(member=spoken)
        if presence is not None:
            spoken = f"{spoken}. {presence_line(presence)}"
        if self.accessibleName() != spoken:  # a screen reader would announce a name that is set again
            self.setAccessibleName(spoken)
        reads = "" if member.history else f" · {history_name(member.history)}"
        status = f"{presence_line(presence)}\n" if presence is not None else ""
        set_tip(self, f"{status}{role} · {meaning}{reads}")
        self.setAccessibleDescription(history_name(member.history))
        self._picture.show_person(person.initials, person.colour, person.name)
        self._picture.show_presence(presence)
        self._name.set_text(person.name)
        self._show_words(presence)
        if member.invited:
            word, kind, icon = tr("invited"), "muted", None
        self._chip.set_chip(word, kind, icon)
        self._chip.setVisible(not person.is_me or kind == "success")
        self._fit()

    def _show_words(self, presence: PersonPresence | None) -> None:
        """Shows under the name what the person says beside the state, if anything: words, or when they are back."""
        has_words = presence is not None and bool(presence.text or presence.back_on)
        self._words.set_text(presence_line(presence) if has_words else "")
        self._words.setVisible(has_words)

    def _fit(self) -> None:
        """Fits the row to its width: if there is no room for both the name and the word of the verification, only the
        icon of the latter is shown."""
        taken = 2 * _MARGIN_PX + px(_PICTURE_PX) + 2 * _SPACING_PX + self._chip.full_width()
        needed = self._name.fontMetrics().horizontalAdvance(self._member.person.name) + 2
        self._chip.shorten(self.width() < taken + needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
