# SPDX-License-Identifier: EUPL-1.2
"""A desktop that remembers what it was told, and the notices of a session that has not started."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from PySide6.QtWidgets import QWidget

from app.notices.service import NoticeFilter, NoticeRow
from app.notices.standing import StandingNotices
from app.session import Session
from tests.ui.shell.tool_views import tool_list
from tests.world import until
from ui.shell.notices.lines import NoticeLines
from ui.shell.tool_list import ToolList
from ui.shell.window.desktop_toast import Toast
from ui.shell.window.notifications import Notifications


@dataclass
class Toasts:
    """Shows nothing. `shown` are the notifications, `withdrawn` the keys of those that were taken away."""

    shown: list[Toast] = field(default_factory=list)
    withdrawn: list[Hashable] = field(default_factory=list)

    def __call__(self, toast: Toast) -> None:
        self.shown.append(toast)

    def withdraw(self, key: Hashable) -> None:
        self.withdrawn.append(key)

    @property
    def titles(self) -> list[str]:
        return [toast.title for toast in self.shown]

    @property
    def texts(self) -> list[str]:
        return [toast.text for toast in self.shown]


def watch(window: QWidget, session: Session, tools: ToolList | None = None) -> tuple[Notifications, Toasts]:
    """What a window would show on the desktop of a session."""
    found, shown = tools or tool_list(session), Toasts()
    lines = NoticeLines(session, found)
    return Notifications(window, session, found, lambda: lines, shown), shown


async def ring(session: Session) -> None:
    """Every notice that is to ring has done so, also what was put off until now."""
    passes, next_ms = list[int](), session.notices._next_ms

    def passed() -> int:  # called when all that is due has been emitted
        passes.append(next_ms())
        return passes[-1]

    with pytest.MonkeyPatch.context() as counting:
        counting.setattr(session.notices, "_next_ms", passed)
        task = asyncio.ensure_future(session.notices.run())
        await until(lambda: bool(passes) and not session.store.db.value("SELECT 1 FROM notices WHERE ring LIMIT 1"))
        task.cancel()


@asynccontextmanager
async def watched(session: Session) -> AsyncIterator[Callable[[str], list[NoticeRow]]]:
    """The states of the session's account are followed. Gives a function that lists the open notices of a kind."""
    standing = StandingNotices(
        session.notices, session.store, session.people, session.rooms, session.nesting, session.invitations
    )
    standing.on_status(online=True)
    running = asyncio.ensure_future(standing.run())
    yield lambda kind: list(session.notices.list(NoticeFilter(open=True, kinds=frozenset({kind}))))
    running.cancel()
    standing.close()
