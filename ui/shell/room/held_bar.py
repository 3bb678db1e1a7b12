# SPDX-License-Identifier: EUPL-1.2
"""The bar over a room in which a change is held back on this computer, or was left out for everybody."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.rooms.held import HeldChange, LeftOutChange, VoidChanges, WaitingChanges
from app.session import Session
from ui.kit.announcing import announce
from ui.kit.bind import Soon, bind
from ui.kit.dialogs import confirm, show
from ui.kit.tasks import run
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn
from ui.shell.room.copying_words import format_copying
from ui.shell.room.held_dialog import BeforeDialog, HeldDialog
from ui.shell.tool_list import ToolList
from ui.tool_views import toast

Leave = Callable[[], object]
Copied = Callable[[str, ObjId], object]
"""`copied(kind, obj)`: a new object is here, to be shown."""


class HeldBar(InfoBar):
    """The bar over a room that shows why some of its changes are not merged here: held back (merging one ended the
    process that tries changes, failed or took too long), void (breaks the rules of its format, so it counts for
    nobody), left out for everybody by an administrator, waiting for other changes, in an object that takes too long to
    put together, or not to be tried on this computer at all. Hidden if there are none. `leave` is called, without
    arguments, when the person wants to leave the room, `copied` with the kind and id of the new object that the person
    had made as a copy."""

    def __init__(
        self,
        session: Session,
        room: RoomId,
        tools: ToolList,
        leave: Leave,
        copied: Copied,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._room = session, room
        self._tools = tools
        self._leave = leave
        self._copied = copied
        self._is_copying = False
        soon = Soon(self, self._show_copying)
        bind(self, session.held.copying.progressed, lambda changed: soon.due() if changed == room else None)

    def refresh(self) -> None:
        """Reads again which of the room's changes are held back on this computer (not merged, since that is not safe or
        takes too long) or void (against the rules of their format), or cannot be tried here, which objects take too
        long, and which changes were left out or wait for others. Shows the first of these that there is, or hides the
        bar. While a copy is being made, shows how far it is, with Cancel as long as nothing of it is decided."""
        held, gone = self._session.held.held(self._room), self._session.held.left_out(self._room)
        kept = tuple(one for one in held if not one.void)
        copy = self._session.held.copying.of(self._room)
        if copy is not None:
            may_stop = copy.may_stop
            stop = tr("Cancel") if may_stop else ""
            self.show_state("info", "clock", format_copying(copy), stop, self._stop if may_stop else None)
        elif held:
            self.show_state(
                "warning",
                "warning",
                _format_held(kept) if kept else _format_void(self._session.held.void(self._room)),
                tr("Show …"),
                lambda: run(self, self._show()),
            )
        elif self._session.held.stalled(self._room):
            text = tr(
                "What colleagues write here cannot be checked on this computer, so it is not shown yet. It is kept. "
                "Contact IT support."
            )
            self.show_state("warning", "warning", text, code="worker-unavailable")
        elif large := self._session.held.large(self._room):
            self.show_state("warning", "warning", _format_large(large))
        elif gone:
            self.show_state("info", "info", _format_left_out(gone))
        elif waiting := self._session.held.waiting(self._room):
            self.show_state("info", "info", _format_waiting(waiting))
        else:
            self.hide()

    def _show_copying(self) -> None:
        was, self._is_copying = self._is_copying, self._session.held.copying.of(self._room) is not None
        self.refresh()
        if self._is_copying and not was:
            announce(self, self.text())

    def _stop(self) -> None:
        self._session.held.copying.stop(self._room)

    async def _show(self) -> None:
        service = self._session.held
        held = service.held(self._room)
        if not held:
            return
        dialog = HeldDialog(
            self.window(),
            held,
            may_leave_out=service.may_leave_out(self._room),
            may_copy=lambda one: service.may_copy(self._room, one),
            may_show=lambda one: self._tools.before(one.kind) is not None,
            count=sum(not one.void for one in held) + sum(one.count for one in service.void(self._room)),
        )
        await show(dialog)
        if dialog.chosen is None:
            return
        what, one = dialog.chosen
        before = self._tools.before(one.kind)
        if what == "before" and before is not None:
            await show(BeforeDialog(self.window(), before(one.obj, one.row, None)))
        elif what == "copy":
            self._copied(one.kind, await service.copy(one))
            toast(self, tr("“{title}” has been copied. The copy holds what is shown here.").format(title=one.title))
        elif what == "leave-out":
            await self._leave_out(one)
        elif what == "leave":
            self._leave()

    async def _leave_out(self, one: HeldChange) -> None:
        text = tr(
            "From now on “{title}” is computed without this change at everybody in the room, for good. Everybody sees "
            "that you did it."
        ).format(title=one.title)
        title = tr("Leave the change by {author} out?").format(author=one.author.name)
        if await confirm(self.window(), title, text, accept=tr("Leave out"), danger=True):
            self._session.held.leave_out(self._room, one)
            toast(self, tr("The change is left out as soon as the server has taken your decision."))


def _format_void(void: tuple[VoidChanges, ...]) -> str:
    count = sum(one.count for one in void)
    return trn(
        "{n} change by {names} in {titles} breaks the rules of the format. It counts for nobody; everything else is "
        "shown.",
        "{n} changes by {names} in {titles} break the rules of the format. They count for nobody; everything else is "
        "shown.",
        count,
    ).format(
        n=count,
        names=", ".join(sorted({one.author.name for one in void})),
        titles=", ".join(f"“{title}”" for title in dict.fromkeys(one.title or tr("Untitled") for one in void)),
    )


def _format_large(large: tuple[str, ...]) -> str:
    return trn(
        "{titles} takes too long to put together on this computer. What colleagues write there now is kept, but not "
        "shown here. You can read and write. Kansli tries again at each start.",
        "{titles} take too long to put together on this computer. What colleagues write there now is kept, but not "
        "shown here. You can read and write. Kansli tries again at each start.",
        len(large),
    ).format(titles=", ".join(f"“{title or tr('Untitled')}”" for title in large))


def _format_left_out(gone: tuple[LeftOutChange, ...]) -> str:
    return trn(
        "{admins} has had {n} change by {names} left out of {titles}.",
        "{n} changes by {names} have been left out of {titles}. Decided by: {admins}.",
        len(gone),
    ).format(
        n=len(gone),
        admins=", ".join(sorted({one.by.name for one in gone})),
        names=", ".join(sorted({one.author.name for one in gone})),
        titles=", ".join(f"“{title}”" for title in dict.fromkeys(one.title or tr("Untitled") for one in gone)),
    )


def _format_waiting(waiting: tuple[WaitingChanges, ...]) -> str:
    count = sum(one.count for one in waiting)
    return trn(
        "{n} change by {names} in {titles} waits for other changes that have not come yet.",
        "{n} changes by {names} in {titles} wait for other changes that have not come yet.",
        count,
    ).format(
        n=count,
        names=", ".join(sorted({one.author.name for one in waiting})),
        titles=", ".join(f"“{title}”" for title in dict.fromkeys(one.title or tr("Untitled") for one in waiting)),
    )


def _format_held(held: tuple[HeldChange, ...]) -> str:
    objects = {one.obj: one.title or tr("Untitled") for one in held}
    names = ", ".join(sorted({one.author.name for one in held}))
    return trn(
        "{n} change by {names} in {titles} is held back on this computer: it could not be read safely. Everything else "
        "is shown, and you can write.",
        "{n} changes by {names} in {titles} are held back on this computer: they could not be read safely. Everything "
        "else is shown, and you can write.",
        len(held),
    ).format(n=len(held), names=names, titles=", ".join(f"“{title}”" for title in objects.values()))
