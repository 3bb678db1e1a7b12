# SPDX-License-Identifier: EUPL-1.2
"""The sections of the rail, in the order of its buttons and of Ctrl with a number: Home, rooms, those of the tools,
search, settings."""

from dataclasses import dataclass

from app.errors import BugError
from ui.kit.translate import tr
from ui.shell.tool_list import ToolList

HOME, ROOMS, SEARCH, SETTINGS = "home", "rooms", "search", "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class RailSection:
    """A section of the rail: its name (`word`), the palette's text for going there (`going`), its icon and its
    shortcuts. `key` is the one with the section's number, "" for a section after the ninth."""

    id: str
    word: str
    going: str
    icon: str
    key: str
    other_keys: tuple[str, ...] = ()

    @property
    def shortcuts(self) -> tuple[str, ...]:
        """All shortcuts."""
        return (self.key, *self.other_keys) if self.key else self.other_keys


def sections(tools: ToolList) -> list[RailSection]:
    """The sections of the rail in the order of its buttons, in the language in force: the window's own and those of the
    `tools`. BugError if a tool's section has the id of one of the window's own."""
    own = (HOME, ROOMS, SEARCH, SETTINGS)
    rows = [
        (HOME, tr("Home"), tr("Go to Home"), "home", ()),
        (ROOMS, tr("Rooms"), tr("Go to Rooms"), "room", ()),
        *((s.id, tr(s.title), tr("Go to {section}").format(section=tr(s.title)), s.icon, ()) for s in tools.sections),
        (SEARCH, tr("Search"), tr("Go to Search"), "search", ("Ctrl+Shift+F",)),
        (SETTINGS, tr("Settings"), tr("Settings"), "settings", ("Ctrl+,",)),
    ]
    if taken := [s.id for s in tools.sections if s.id in own]:
        raise BugError(f"The window itself has the section {taken[0]!r}.")
    return [
        RailSection(id=i, word=word, going=going, icon=icon, key=f"Ctrl+{n}" if n < 10 else "", other_keys=keys)
        for n, (i, word, going, icon, keys) in enumerate(rows, 1)
    ]
