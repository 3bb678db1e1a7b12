# SPDX-License-Identifier: EUPL-1.2
"""The tools of one session: opened from a list, found by their TOOL, and called in the list's order."""

from collections.abc import Callable, Iterable, Sequence

from app.core.ids import DevId, RoomId, Uid
from app.errors import BugError
from app.objects.links import Linked, ObjectLink, linked_object
from app.objects.trash import Bin
from app.scopes import Scopes
from app.store.objects import Objects
from app.tool import AnyTool, AppTool, KindRules, OpenTool, Parts, S, Service


class OpenTools:
    """The tools (chat, documents, …) of one session: their services, and the rules of their kinds of objects."""

    def __init__(
        self, tools: Sequence[AnyTool], objects: Objects, parts: Callable[[AnyTool], Parts], scopes: Scopes
    ) -> None:
        """Opens the tools, each as a scope within `scopes`; `parts` returns the services that a tool gets. BugError if
        two of them own the same id, kind or kind of ephemeral message, or if one lacks a part (app/tool.py)."""
        _check(tools)
        self._objects = objects
        opened: dict[str, OpenTool] = {}
        for tool in tools:
            opened[tool.id] = tool.open(parts(tool))
            scopes.add(f"tool-{tool.id}", opened[tool.id].service.close_all)
        self._by_id = {ident: each.service for ident, each in opened.items()}
        self._by_kind = {rules.id: each.service for each in opened.values() for rules in each.rules}
        self._by_ephemeral = {tool.ephemeral: self._by_id[tool.id] for tool in tools if tool.ephemeral is not None}
        self.services: tuple[Service, ...] = tuple(self._by_id.values())
        self.rules: tuple[KindRules, ...] = tuple(rules for each in opened.values() for rules in each.rules)

    def service(self, tool: AppTool[S]) -> S:
        """The tool's service. BugError for a tool that the session does not have."""
        found = self._by_id.get(tool.id)
        if not isinstance(found, tool.service):
            raise BugError(f"The session has no tool {tool.id!r}.")
        return found

    @property
    def bins(self) -> list[Bin]:
        """What is put away in the tools."""
        return [service.trash for service in self.services if service.trash is not None]

    def find(self, link: ObjectLink) -> Linked | None:
        """What to show of the thing that a link leads to; None if it is not here (any more)."""
        service = self._by_kind.get(link.kind)
        return service.linked(link) if service is not None else linked_object(self._objects, link)

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int) -> None:
        """Gives an ephemeral message, whose content is `payload` and which the person `uid` sent from the device `dev`,
        to the tool that owns its `kind`; drops it if no tool does."""
        service = self._by_ephemeral.get(kind)
        if service is not None:
            service.on_ephemeral(room, uid, dev, payload)


def _check(tools: Sequence[AnyTool]) -> None:
    _unique("id", (tool.id for tool in tools))
    _unique("kind", (kind.id for tool in tools for kind in tool.store_kinds))
    _unique("kind of notices", (each.id for tool in tools for kind in tool.store_kinds for each in kind.notices))
    _unique("kind of ephemeral message", (tool.ephemeral for tool in tools if tool.ephemeral is not None))


def _unique(what: str, owned: Iterable[str | int]) -> None:
    seen: set[str | int] = set()
    for each in owned:
        if each in seen:
            raise BugError(f"Two tools own the {what} {each!r}.")
        seen.add(each)
