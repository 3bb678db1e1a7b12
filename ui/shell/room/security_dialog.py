# SPDX-License-Identifier: EUPL-1.2
"""A room's security status in plain words: who can decrypt it and since when, its key, and what the server sees."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.objects.kind import ROOM
from app.people.person import Person
from app.rooms.formats import OldDevice
from app.rooms.security_status import Reader, SecurityReport
from app.rooms.service import RoomSummary
from app.rooms.succession import Standing
from ui.kit.buttons import TextButton
from ui.kit.card import SectionHeader
from ui.kit.chip import Chip
from ui.kit.dialogs import Dialog
from ui.kit.scale import hold
from ui.kit.style import label, line
from ui.kit.translate import clock, day, short_day, tr, trn
from ui.shell.rows import Row, RowList, Sizes
from ui.shell.words import history_name, security_chip, verified_chip

_ROW, _MOST_ROWS, _MOST_NAMES = 46, 6, 5


def _when(t_ms: int) -> str:
    return f"{short_day(day(t_ms))} {clock(t_ms)}"


class SecurityDialog(Dialog):
    """A dialog about a room's security status: who can decrypt it and since when, its key, and what the server sees.
    `level` is the status in one word, `report` the facts (None while there are none). `contents` names kinds of objects
    within a sentence, given their ids. If `standing` has evidence that the server was false in this room, a button
    calls `on_evidence`, which shows it. `nested`: what to say of the rooms that this one belongs with; "" for
    nothing."""

    def __init__(
        self,
        parent: QWidget,
        level: str,
        report: SecurityReport | None,
        standing: Standing,
        contents: Callable[[Sequence[str]], str],
        on_evidence: Callable[[], object],
        nested: str = "",
    ) -> None:
        super().__init__(parent, tr("The room's seal"), accept=tr("Close"), width=600)
        for button in self.buttons.buttons():
            button.setVisible(button is self.accept_button)
        word, kind, icon, meaning = security_chip(level)
        head = line(spacing=10)
        head.addWidget(Chip(word, kind, icon), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(label(meaning, "body", wrap=True), 1)
        self.body.addLayout(head)
        if standing.evidence:
            kept = TextButton(tr("Show evidence"), on_evidence, icon="fork")
            self.body.addWidget(kept, 0, Qt.AlignmentFlag.AlignLeft)
        if report is not None:
            if report.ahead_ms:
                self._section(tr("The server's time"), time_text(report.ahead_ms))
            if report.origin_doubt:
                self._section(tr("The earlier room"), origin_text(report.origin_doubt))
            if report.void_items:
                self._section(tr("Against the rules of the room"), void_items_text(report.void_items))
            self._add_readers(report)
            self._add_key(report)
            if report.void_changes:
                self._section(tr("Changes that count for nobody"), void_changes_text(report.void_changes))
            if report.newer_changes:
                self.body.addWidget(label(newer_changes_text(report.newer_changes), "small", wrap=True))
            if report.old_devices:
                self._add_old_devices(report, contents)
        if nested:
            self._section(tr("Restricted rooms"), nested)
        self._add_server()
        self.accept_button.setFocus()  # nothing is to be chosen

    def _section(self, title: str, *paragraphs: str) -> None:
        self.body.addWidget(SectionHeader(title))
        for text in paragraphs:
            self.body.addWidget(label(text, "body", wrap=True))

    def _add_readers(self, report: SecurityReport) -> None:
        count = len(report.readers)
        title = trn("{n} person can decrypt the room", "{n} people can decrypt the room", count).format(n=count)
        self._section(title)
        self.readers = RowList(tr("Who can decrypt the room"), Sizes(row=_ROW, inset=0, picture=28))
        self.readers.rows.set_rows([reader_row(r) for r in report.readers])
        hold(self.readers, height=_ROW * min(count, _MOST_ROWS) + 4)
        self.body.addWidget(self.readers)
        self.body.addWidget(label(_others(report), "small", wrap=True))

    def _add_key(self, report: SecurityReport) -> None:
        self._section(tr("The key"), key_text(report))

    def _add_old_devices(self, report: SecurityReport, contents: Callable[[Sequence[str]], str]) -> None:
        self.body.addWidget(label(old_devices_text(len(report.old_devices)), "small", wrap=True))
        self.old_devices = RowList(tr("Devices that cannot read everything"), Sizes(row=_ROW, inset=0, picture=28))
        self.old_devices.rows.set_rows([old_device_row(device, contents) for device in report.old_devices])
        hold(self.old_devices, height=_ROW * min(len(report.old_devices), _MOST_ROWS) + 4)
        self.body.addWidget(self.old_devices)
        if report.silent_devices:
            self.body.addWidget(label(silent_devices_text(report.silent_devices), "small", wrap=True))

    def _add_server(self) -> None:
        self._section(
            tr("What the server sees"),
            tr("Of people: the names in the staff directory and what is searched for there, who is in which room with "
               "which role, who left or was removed, and when someone lost or got a device."),
            tr("Of work: which devices write, when, in which object and how much (rounded up), but not what it is; how "
               "far each has read; who has something open or types just now; the size of files."),
            tr("Of devices: when they are online, from which network address, and which version of Kansli they run."),
            tr("What it does not see: the titles of rooms and of what is in them, why someone was removed, names of "
               "devices and files, and anything that is written, drawn or attached."),
            tr("It checks signatures and order, so as to refuse what is forged. So does this device, for itself."),
        )  # fmt: skip


def nested_text(parent: RoomSummary | None, within: Sequence[RoomSummary]) -> str:
    """Says, of rooms that belong to each other, who can still read what was written before. `parent`: the room that
    this one belongs to, None if it belongs to none; `within`: the rooms that belong to it. "" if there are no such
    rooms."""
    if parent is not None:
        text = tr("This room belongs to {room}, and has a key of its own. Members of {room} who are not here see "
                  "nothing of it; their computers have its id, and know when the rooms were linked. What was in {room} "
                  "until now stays readable for those who were there.")  # fmt: skip
        return text.format(room=parent.title)
    if not within:
        return ""
    titles = ", ".join(room.title for room in within)
    text = tr("You are in rooms that belong to this one: {rooms}. Each has a key of its own. What was in this room "
              "until now stays readable for those who were here, also what is moved to one of them.")  # fmt: skip
    return text.format(rooms=titles)


def reader_row(reader: Reader) -> Row:
    """A row for a person who can decrypt the room: since when they are a member, how many of their devices have written
    nothing for long, and how much they can read. At the right is whether they are verified. Faded: they lack the
    present key."""
    person = reader.person
    since = tr("member since {when}").format(when=_when(reader.since_ms)) if reader.since_ms else ""
    parts = [since, _silence(reader), _reach(reader)]
    text = " · ".join(x for x in parts if x)
    name = tr("{name} (you)").format(name=person.name) if person.is_me else person.name
    return Row(
        key=person.uid,
        title=name,
        detail=text[:1].upper() + text[1:],
        picture=(person.initials, person.colour, False),
        right=verified_chip(person)[0],
        faded=reader.keyless,
    )


def _reach(reader: Reader) -> str:
    if reader.keyless:
        return tr("has not got the key in force")
    return history_name(reader.history)


def _silence(reader: Reader) -> str:
    if not reader.silent:
        return ""
    when = short_day(day(reader.silent_ms))
    return trn(
        "{n} device has written nothing here since {when}",
        "{n} devices have written nothing here since {when}",
        reader.silent,
    ).format(n=reader.silent, when=when)


def _others(report: SecurityReport) -> str:
    if report.recovery:
        n = len(report.recovery)
        outside = trn(
            "{n} recovery recipient of the agency also gets every key from when it was named, but none from before.",
            "{n} recovery recipients of the agency also get every key from when they were named, but none from before.",
            n,
        ).format(n=n)
    else:
        outside = tr("Nobody outside the room has a key to it, the agency neither.")
    left = tr("Whoever has left keeps what they could read then, and can read nothing that is written now.")
    return f"{outside} {left}"


def time_text(ahead_ms: int) -> str:
    """Text: by how many hours (`ahead_ms` rounded, at least one) the server has signed times in the room that are ahead
    of now, and what that means."""
    hours = max(1, round(ahead_ms / 3_600_000))
    far = trn(
        "The server has signed times in this room that are {n} hour ahead of its clock and of this computer's.",
        "The server has signed times in this room that are {n} hours ahead of its clock and of this computer's.",
        hours,
    ).format(n=hours)
    meaning = tr("The times of messages are wrong, and what waits for days may be over too early. What it signed is "
                 "kept; show it to those who run the server.")  # fmt: skip
    return f"{far} {meaning}"


def origin_text(doubt: str) -> str:
    """Text: why it is not certain that the room continues the one that it names, and what follows from that. `doubt` is
    "unknown" if this device has no copy of the earlier room; otherwise its founder does not own the earlier room."""
    if doubt == "unknown":
        why = tr("This room says that it continues an earlier one, of which this device has no copy.")
    else:
        why = tr("This room says that it continues an earlier one, but whoever opened it does not own that.")
    quoted = tr("What others are said to have written there is shown as a quotation of the person who carried it over, "
                "except where this device's own copy of the earlier room has the same.")  # fmt: skip
    return f"{why} {quoted}"


def key_text(report: SecurityReport) -> str:
    """Text for the person about the room's key: its number, by whom and when it was made, and when it will be replaced.
    What `report` does not know of that is left out; when and by whom it was made appear only together."""
    number = report.generation
    if report.made_ms is None or report.made_by is None:
        made = tr("The room's key number {n}.").format(n=number)
    else:
        made = tr("The room's key number {n}, made {when} by {name}.").format(
            n=number, when=_when(report.made_ms), name=report.made_by.name
        )
    if report.due_ms is None:
        return made
    if report.due_ms == 0:
        due = tr("It is renewed as soon as a writer is there.")
    else:
        due = tr("It is renewed at the latest {when}, and whenever somebody leaves or loses a device.").format(
            when=short_day(day(report.due_ms))
        )
    return f"{made} {due}"


def void_items_text(counts: Sequence[tuple[Person, int]]) -> str:
    """Text: how many items the server placed in the room although the room's rules forbid them, and in whose names.
    `counts` are (person, number), at least one; the first five people are named."""
    total = sum(count for _, count in counts)
    sentence = trn(
        "The server has placed {n} item here that the rules of the room forbid, in the name of: {names}.",
        "The server has placed {n} items here that the rules of the room forbid, in the name of: {names}.",
        total,
    ).format(n=total, names=_names(counts))
    meaning = tr("They count for nobody, and the person named need not have sent them. An honest server refuses such "
                 "items; tell those who run the server.")  # fmt: skip
    return f"{sentence} {meaning}"


def void_changes_text(counts: Sequence[tuple[Person, int]]) -> str:
    """Text: how many changes in the room break the rules of their format and therefore count for nobody, and who wrote
    them. `counts` are (person, number), at least one; the first five people are named."""
    total = sum(count for _, count in counts)
    return trn(
        "{n} change breaks the rules of its format and is merged at nobody. Written by: {names}.",
        "{n} changes break the rules of their format and are merged at nobody. Written by: {names}.",
        total,
    ).format(n=total, names=_names(counts))


def newer_changes_text(count: int) -> str:
    """Text: `count` changes in the room are a newer program's, and are kept until this computer has it."""
    return trn(
        "{n} change was made with a newer version of Kansli. It is kept, and shown once this computer has that "
        "version.",
        "{n} changes were made with a newer version of Kansli. They are kept, and shown once this computer has that "
        "version.",
        count,
    ).format(n=count)


def old_devices_text(count: int) -> str:
    """Text: `count` devices cannot read all that is written in the room, and what becomes of it."""
    sentence = trn(
        "{n} device cannot read everything that is written here.",
        "{n} devices cannot read everything that is written here.",
        count,
    ).format(n=count)
    return f"{sentence} {tr('The rest is kept there, and shown once Kansli is updated.')}"


def silent_devices_text(count: int) -> str:
    """Text: `count` more devices have not said what they read."""
    return trn(
        "{n} more device has not said yet what it reads.",
        "{n} more devices have not said yet what they read.",
        count,
    ).format(n=count)


def old_device_row(device: OldDevice, contents: Callable[[Sequence[str]], str]) -> Row:
    """A row for a device that cannot read all that is written in the room: whose it is, since when the person has it,
    and what it cannot read. `contents` names kinds of objects."""
    person = device.person
    own = (ROOM,) if device.features else ()  # a newer entry of the room is part of its own history
    what = contents([*dict.fromkeys([*device.kinds, *own])])
    added = tr("device added {when}").format(when=short_day(day(device.added_ms)))
    text = tr("{device} · not all of {what}").format(device=added, what=what)
    return Row(
        key=device.dev,
        title=tr("{name} (you)").format(name=person.name) if person.is_me else person.name,
        detail=text[:1].upper() + text[1:],
        picture=(person.initials, person.colour, False),
    )


def _names(counts: Sequence[tuple[Person, int]]) -> str:
    shown = ", ".join(f"{person.name} ({count})" for person, count in counts[:_MOST_NAMES])
    more = len(counts) - _MOST_NAMES
    return shown if more <= 0 else shown + ", " + trn("and {n} more", "and {n} more", more).format(n=more)
