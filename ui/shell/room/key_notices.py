# SPDX-License-Identifier: EUPL-1.2
"""Notices about people's keys, in rooms and on Home. A warning stays until the person has dealt with it."""

from collections.abc import Hashable

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.people.notices import KeyNotice
from app.people.service import PeopleService
from app.rooms.service import RoomService
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel
from ui.kit.dialogs import confirm
from ui.kit.style import label, line
from ui.kit.tasks import run
from ui.kit.toast import InfoBar
from ui.kit.translate import day_or_time, tr, trn


def format_notice(people: PeopleService, notice: KeyNotice) -> tuple[str, str]:
    """Returns two texts about something that happened to a person's keys (a device was added or revoked, the account
    was reset, or a second one has the same staff record): what happened, and what to do about it."""
    name = people.person(notice.uid).name
    happened = {
        "device-added": tr("{name} has added a device."),
        "device-recovered": tr("{name} has come back on a new device with the recovery sheet."),
        "device-revoked": tr("One of {name}'s devices has been revoked."),
        "reset": tr("The agency has reset {name}'s account."),
        "duplicate": tr("There are two accounts for {name}."),
    }[notice.kind].format(name=name)
    if notice.more:
        happened += " " + trn(
            "Before that, {n} more change.", "Before that, {n} more changes.", notice.more
        ).format(n=notice.more)  # fmt: skip
    if notice.kind == "reset":
        advice = tr(
            "The keys that were known count no more, nor does your verification. Whoever comes in the same name is a "
            "new account: compare numbers with them before you write anything sensitive."
        )
    elif notice.kind == "duplicate":
        advice = tr(
            "The agency has bound two accounts to the same staff record. Ask {name}, and IT security, which one is "
            "real before you write anything sensitive."
        ).format(name=name)
    else:
        advice = tr("You have verified {name} in person. Ask if you did not expect this.").format(name=name)
    return happened, advice


def concerning(people: PeopleService, rooms: RoomService, room: RoomId) -> list[KeyNotice]:
    """The notices about present and former members of `room`, warnings first: that a device of a person was added or
    revoked, the account was reset, or the same staff record has a second account. [] if there are none."""
    notices = people.notices()
    if not notices:
        return []
    inside = {m.person.uid for m in rooms.members(room)}
    inside |= {uid for event in rooms.events(room) for uid in (event.by, event.subject) if uid is not None}
    return [n for n in notices if n.uid in inside or n.other in inside]


class NoticeBar(InfoBar):
    """A bar over a room that shows one notice about a member's keys at a time, such as that a device was added or the
    account was reset; hidden while there is none."""

    def __init__(self, people: PeopleService, rooms: RoomService, room: RoomId, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._people, self._rooms, self._room = people, rooms, room
        self._shown: tuple[KeyNotice, str] | None = None
        bind(self, people.changed, self.refresh)

    def refresh(self) -> None:
        """Reads the notices about members' keys again, and shows the first one (warnings come first), or hides the
        bar."""
        notices = concerning(self._people, self._rooms, self._room)
        if not notices:
            self._shown = None
            self.hide()
            return
        notice = notices[0]
        happened, advice = format_notice(self._people, notice)
        text = f"{happened.removesuffix('.')} ({day_or_time(notice.t)}). {advice}"
        if self._shown == (notice, text):  # the focus stays where it is
            return
        self._shown = (notice, text)
        kind, icon, action = dress(notice)
        self.show_state(kind, icon, text, action, lambda: deal(self, self._people, notice))


class NoticeCard(Card):
    """A card on the Home page with a notice that something happened to a person's keys, such as that a device was added
    or the account was reset. Its button marks the notice that the card shows at that moment as dealt with; of a warning
    it asks first."""

    def __init__(self, people: PeopleService, notice: KeyNotice, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=14, spacing=6)
        self._people, self._notice = people, notice
        head = line(spacing=10)
        self._icon, self._happened = IconLabel("info", "muted", 20), label("", "strong", wrap=True)
        self._when, self._advice = label("", "faint"), label("", "small", wrap=True)
        head.addWidget(self._icon)
        head.addWidget(self._happened, 1)
        head.addWidget(self._when)
        self.content.addLayout(head)
        self.content.addWidget(self._advice)
        buttons = line(spacing=8)
        self.button = TextButton("", lambda: deal(self, self._people, self._notice))
        buttons.addWidget(self.button)
        buttons.addStretch(1)
        self.content.addLayout(buttons)

    def show_notice(self, notice: KeyNotice) -> None:
        """Shows `notice` in this card, from now on."""
        self._notice = notice
        happened, advice = format_notice(self._people, notice)
        kind, icon, action = dress(notice)
        self._icon.set_icon(icon, "muted" if kind == "info" else kind)
        self._happened.setText(happened)
        self._when.setText(day_or_time(notice.t))
        self._advice.setText(advice)
        self.button.show_text(action, f"{action}: {happened}")


def notice_key(notice: KeyNotice) -> Hashable:
    """The key of a notice: each warning has its own; notices that do not warn share one by person."""
    return (notice.uid, notice.kind, notice.other, notice.ids) if notice.warns else notice.uid


def dress(notice: KeyNotice) -> tuple[str, str, str]:
    """How a notice about keys looks: (kind of bar, name of the icon, text on the button)."""
    if notice.warns:
        return "warning", "warning", tr("It is dealt with …")
    return "info", "device", tr("I have seen it")


def deal(widget: QWidget, people: PeopleService, notice: KeyNotice) -> None:
    """Removes a notice: a calm one at once, a warning only after the person has confirmed."""
    run(widget, _deal(widget.window(), people, notice))


async def _deal(window: QWidget, people: PeopleService, notice: KeyNotice) -> None:
    if notice.warns:
        happened, advice = format_notice(people, notice)
        text = f"{happened} {advice}"
        if not await confirm(window, tr("Is it dealt with?"), text, accept=tr("It is dealt with"), danger=True):
            return
    people.dismiss(notice)
