# SPDX-License-Identifier: EUPL-1.2
"""The card of a task or document that a message ends in: its title, and one line about where it is and how it is
now."""

from collections.abc import Callable, Sequence

from app.chat.markup import Run
from app.chat.ports import People
from app.objects.links import Linked, ObjectLink
from ui.kit.translate import day_or_time, local_now, short_day, tr

Find = Callable[[ObjectLink], Linked | None]
"""Returns the linked thing as it is now; None if it is not on this computer, or not any more."""

_ICONS = {"document": "document", "board": "columns", "chat": "chat"}


def icon_of(link: ObjectLink | None) -> str:
    """The sign of a kind; a task has the tasks' own."""
    if link is not None and link.kind == "board" and link.ref:
        return "tasks"
    return _ICONS.get(link.kind, "link") if link is not None else "link"


def split(runs: Sequence[Run], find: Find) -> tuple[list[Run], list[tuple[Run, Linked]]]:
    """Splits a message into its text and the things at its end, which are shown below it as cards. Things within the
    text stay chips."""
    rest, things = list(runs), list[tuple[Run, Linked]]()
    while rest:
        last = rest[-1]
        found = find(last.link) if last.link is not None else None
        if found is not None:
            things.insert(0, (last, found))
        elif last.text.strip() or last.mention or last.href:
            break
        rest.pop()
    if not things:
        return list(runs), []
    return rest, things


def detail(thing: Linked, people: People) -> str:
    """One line: column, who does it, when it is due; or who changed it, when."""
    parts = [thing.status]
    if thing.assignee is not None:
        parts.append(tr("assigned to {name}").format(name=people.person(thing.assignee).name))
    if thing.due is not None:
        parts.append(tr("due {day}").format(day=short_day(thing.due, local_now().date())))
    if thing.by is not None:
        parts.append(tr("changed by {name}").format(name=people.person(thing.by).name))
    if thing.updated:
        parts.append(day_or_time(thing.updated))
    text = " · ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]
