# SPDX-License-Identifier: EUPL-1.2
"""What a message links to: the things at its end, which are shown below it as cards, and how they are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.chat.markup import Run
from app.chat.model import Message
from app.objects.links import Linked, ObjectLink
from ui.tool import LinkWords

Find = Callable[[ObjectLink], Linked | None]
"""Returns the linked thing as it is now; None if it is not on this computer, or not any more."""


class Unnamed:
    """Says how things that messages link to are shown where there is no window whose tools know it: each with the icon
    of a link, and without a line about it."""

    def icon_of(self, link: ObjectLink | None) -> str:
        """The icon of a link."""
        return "link"

    def line_of(self, link: ObjectLink, linked: Linked) -> str:
        """No line."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What is needed to show a message's links: `find`, which gets a link and returns what it leads to
    (None: that is not on this computer, or not any more), and `words`, which gives the icon and a line of text for
    it."""

    find: Find = lambda link: None
    words: LinkWords = field(default_factory=Unnamed)
    reminded: Callable[[Message], bool] = lambda message: False
    """Whether the person is to be reminded of a message."""


def split(runs: Sequence[Run], find: Find) -> tuple[list[Run], list[tuple[Run, ObjectLink, Linked]]]:
    """Splits the text of a message from the links at its end that `find` knows: (the rest of the text, the links in
    their order with what they lead to). The latter are shown below the message as cards. (The whole text, []) if
    `find` returns None for the last link, or the text does not end with one."""
    rest, things = list(runs), list[tuple[Run, ObjectLink, Linked]]()
    while rest:
        last = rest[-1]
        found = find(last.link) if last.link is not None else None
        if last.link is not None and found is not None:
            things.insert(0, (last, last.link, found))
        elif last.text.strip() or last.mention or last.href:
            break
        rest.pop()
    if not things:
        return list(runs), []
    return rest, things
