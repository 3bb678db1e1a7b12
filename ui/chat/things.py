# SPDX-License-Identifier: EUPL-1.2
"""What is said of a thing in a room that a message ends in: a card with its title, and where it stands."""

from collections.abc import Callable, Sequence

from app.chat.markup import Run
from app.chat.ports import People
from app.objects.links import Linked, ObjectLink
from ui.kit.translate import day_or_time, local_now, short_day, tr

Find = Callable[[ObjectLink], Linked | None]
"""A thing as it is now, or None if it is not here (any more)."""

_ICONS = {"document": "document", "board": "columns", "chat": "chat"}


def icon_of(link: ObjectLink | None) -> str:
    """The sign of a kind; a task has the tasks' own."""
    if link is not None and link.kind == "board" and link.ref:
        return "tasks"
    return _ICONS.get(link.kind, "link") if link is not None else "link"


def split(runs: Sequence[Run], find: Find) -> tuple[list[Run], list[tuple[Run, Linked]]]:
    """The text, and the things that it ends in: those stand below it as cards. Within the text they stay chips."""
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
