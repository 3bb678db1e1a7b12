# SPDX-License-Identifier: EUPL-1.2
"""The commands of the main window, in the language in force."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.core.ids import RoomId
from app.settings import TEXT_SIZE, THEME
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.reminding import COMMAND
from ui.shell.home.home_pages import ACTIVITY
from ui.shell.window.commands import Command
from ui.shell.window.navigation import Place
from ui.shell.window.sections import HOME
from ui.tool_parts import JoinedRoomCommand, SectionCommand, ToolCommand
from ui.tool_views import ActingView

if TYPE_CHECKING:  # the window makes its commands: only its type is needed here
    from ui.shell.window.main_window import MainWindow


_REMIND = ToolCommand(id=COMMAND, title="Remind me …", icon="clock", shortcuts=("Ctrl+Shift+R",))
"""Offered where a view can do it: of the message, document or card that is current there."""


def window_commands(w: "MainWindow") -> list[Command]:
    """Every command of the window."""
    of_tools = (*_of_sections(w), *_of_view(w), *_of_room(w))
    return [*_going(w), *_doing(w), *w.own_status.commands(), *of_tools, *_looks(w), *_sizes(w), *_hidden(w)]


def _going(w: "MainWindow") -> list[Command]:
    sections = [
        Command(id=s.id, text=s.going, icon=s.icon, shortcuts=s.shortcuts, run=partial(w.go_section, s.id))
        for s in w.sections
    ]
    return [
        *sections,
        Command(
            id="activity",
            text=tr("Go to Activity"),
            icon="notifications",
            shortcuts=("Ctrl+Shift+N",),
            run=lambda: w.go(Place(section=HOME, tab=ACTIVITY)),
        ),
        Command(id="back", text=tr("Back"), icon="back", shortcuts=("Alt+Left",), run=w.navigator.back),
        Command(id="forward", text=tr("Forward"), icon="forward", shortcuts=("Alt+Right",), run=w.navigator.forward),
        Command(
            id="next-unread",
            text=tr("Next unread room"),
            icon="down",
            shortcuts=("Alt+Shift+Down",),
            run=lambda: w.navigator.step_room(1, unread=True),
        ),
        Command(
            id="next-room",
            text=tr("Next room"),
            icon="down",
            shortcuts=("Ctrl+PgDown",),
            run=lambda: w.navigator.step_room(1),
        ),
        Command(
            id="previous-room",
            text=tr("Previous room"),
            icon="up",
            shortcuts=("Ctrl+PgUp",),
            run=lambda: w.navigator.step_room(-1),
        ),
    ]


def _doing(w: "MainWindow") -> list[Command]:
    def in_room() -> bool:
        return w.current_room() is not None

    def here() -> RoomId | None:
        view = w.current_room()
        return view.room if view is not None else None

    def add_member() -> None:
        view = w.current_room()
        if view is not None:
            view.panel.add()

    return [
        Command(id="new-room", text=tr("New room …"), icon="add", shortcuts=("Ctrl+N",), run=w.room_requests.new_room),
        Command(
            id="restricted-room",
            text=tr("Restricted room …"),
            icon="lock",
            run=lambda: w.restricted.make(room) if (room := here()) is not None else None,
            enabled=lambda: (room := here()) is not None and w.restricted.may_make(room),
        ),
        Command(
            id="link-room",
            text=tr("Link to the case room …"),
            icon="indent",
            run=lambda: w.restricted.link(room) if (room := here()) is not None else None,
            enabled=lambda: (room := here()) is not None and w.restricted.may_link(room),
        ),
        Command(id="add-member", text=tr("Add member …"), icon="invite", run=add_member, enabled=in_room),
        Command(id="people", text=tr("Show or hide members"), icon="people", run=w.show_people, enabled=in_room),
        Command(id="lock", text=tr("Lock Kansli"), icon="lock", shortcuts=("Ctrl+Shift+L",), run=w.lock_requested.emit),
        Command(id="quit", text=tr("Quit"), icon="leave", shortcuts=("Ctrl+Q",), run=w.quit_requested.emit),
    ]


def _of_sections(w: "MainWindow") -> list[Command]:
    """The commands of the tools' sections. Each goes to its section, and does there what it is for."""

    def do(section: str, command: SectionCommand) -> None:
        w.go(Place(section=section, tab=command.tab))
        page = w.navigator.current_view()
        act = page.doable().get(command.id) if isinstance(page, ActingView) else None
        if act is not None:
            act()

    return [
        Command(
            id=each.id,
            text=tr(each.title),
            icon=each.icon,
            shortcuts=each.shortcuts,
            run=partial(do, section.id, each),
        )
        for section in w.tools.sections
        for each in section.commands
    ]


def _of_view(w: "MainWindow") -> list[Command]:
    """The commands of the tools. Each is done by the view that is shown, and enabled only if that view can do it
    now."""

    def found(name: str) -> Callable[[], object] | None:
        view = w.navigator.current_view()
        return view.doable().get(name) if isinstance(view, ActingView) else None

    def do(name: str) -> None:
        if (act := found(name)) is not None:
            act()

    def possible(name: str) -> bool:
        return found(name) is not None

    return [
        Command(
            id=each.id,
            text=tr(each.title),
            icon=each.icon,
            shortcuts=each.shortcuts,
            run=partial(do, each.id),
            enabled=partial(possible, each.id),
        )
        for each in (_REMIND, *(each for tool in w.tools.all for each in tool.commands))
    ]


def _of_room(w: "MainWindow") -> list[Command]:
    """The commands of the tools about the room that is shown. Each is enabled only if this person may run it there."""

    def do(command: JoinedRoomCommand) -> None:
        view = w.current_room()
        if view is not None:
            run(view, command.run(view.room, w))

    def possible(command: JoinedRoomCommand) -> bool:
        view = w.current_room()
        return view is not None and command.may(view.room)

    return [
        Command(id=each.id, text=tr(each.title), icon=each.icon, run=partial(do, each), enabled=partial(possible, each))
        for tool in w.tools.all
        for each in tool.room_commands
    ]


def _looks(w: "MainWindow") -> list[Command]:
    looks = (
        ("light", "light", tr("Theme: light")),
        ("dark", "dark", tr("Theme: dark")),
        ("contrast", "contrast", tr("Theme: high contrast")),
        ("system", "theme", tr("Theme: follow the system")),
    )
    choose = w.settings_in_force.set_theme

    def free() -> bool:
        return not w.session.settings.locked(THEME)

    return [
        Command(id=f"theme-{name}", text=text, icon=icon, run=partial(choose, name), enabled=free)
        for name, icon, text in looks
    ]


def _sizes(w: "MainWindow") -> list[Command]:
    sizes = (
        ("text-larger", "add", tr("Larger text"), ("Ctrl++", "Ctrl+="), 1),
        ("text-smaller", "minus", tr("Smaller text"), ("Ctrl+-",), -1),
        ("text-usual", "undo", tr("Usual text size"), ("Ctrl+0",), 0),
    )
    step = w.settings_in_force.step_text_size

    def free() -> bool:
        return not w.session.settings.locked(TEXT_SIZE)

    return [
        Command(id=name, text=text, icon=icon, shortcuts=keys, run=partial(step, by), enabled=free)
        for name, icon, text, keys, by in sizes
    ]


def _hidden(w: "MainWindow") -> list[Command]:
    tabs = [
        Command(
            id=f"tab-{n}",
            text=tr("Tab {n}").format(n=n),
            shortcuts=(f"Alt+{n}",),
            hidden=True,
            run=partial(w.navigator.open_tab, n),
        )
        for n in range(1, 10)
    ]
    return [
        Command(id="palette", text=tr("Search everything"), shortcuts=("Ctrl+K",), hidden=True, run=w.open_palette),
        Command(id="region", text=tr("Next region"), shortcuts=("F6",), hidden=True, run=lambda: w.step_region(1)),
        Command(
            id="region-back",
            text=tr("Previous region"),
            shortcuts=("Shift+F6",),
            hidden=True,
            run=lambda: w.step_region(-1),
        ),
        *tabs,
    ]
