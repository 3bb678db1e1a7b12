# SPDX-License-Identifier: EUPL-1.2
"""Copies of a server that was made once in each process, and sessions on copies of the stores that belong to it. A copy
with one session is up in 80 ms."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.core.enums import LinkState
from app.kinds import KINDS, TOOLS
from app.profile import Profile
from app.scopes import Closing, Scopes
from app.session import Session
from app.setting import Value
from app.settings import Settings
from app.store.store import Store
from app.tool import AnyTool
from sync.client.wire.transport import Dialer
from sync.server.config import Limits
from tests.ui.shell.moment import Moment
from tests.world import World, until

BY_ID = {kind.id: kind for kind in KINDS}
Stores = Mapping[str, tuple[bytes, bytes]]
"""A store's file and its key, by a name."""
T = TypeVar("T")
_open: list[Closing] = []


def made_in_folder(make: Callable[[Path], Coroutine[None, None, T]]) -> T:
    """What `make` makes in a folder that lasts as long as the process. It has a thread and a loop of its own, since the
    caller's loop may be running."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, make(folder)).result()


def session_on(
    folder: Path,
    store: Store,
    dialer: Dialer,
    policy: Mapping[str, Value] | None = None,
    tools: Sequence[AnyTool] = TOOLS,
    kind: type[Session] = Session,
) -> Session:
    """A session on an open store, with its profile and its settings in `folder`. It does not run before its `start`."""
    profile, scopes = Profile.open_in(folder), Scopes()
    scopes.enter("profile", profile)
    scopes.enter("store", store)
    settings = Settings(folder / "settings.json", dict(policy or {}))
    return kind(scopes, profile, settings, store, tools, dialer)


def close_after_test(session: Session) -> Session:
    """Has `close_all` close the store and the profile of a session that never starts. Returns the session."""
    _open.extend((session.profile, session.store))
    return session


def any_open() -> bool:
    """Whether `close_all` has anything to close."""
    return bool(_open)


def close_all() -> None:
    """Closes what `close_after_test` was given."""
    while _open:
        _open.pop().close()


@dataclass
class Served:
    """A server that runs, and the stores that belong to it. `now` moves everybody's clock."""

    w: World
    stores: Stores
    now: Moment
    sessions: list[Session] = field(default_factory=list)

    async def open(self, name: str) -> Session:
        """The session on a copy of this store, once it is online."""
        folder = self.w.folder / f"computer of {name}"
        folder.mkdir()
        data, key = self.stores[name]
        (folder / "store.db").write_bytes(data)
        session = session_on(folder, Store.open(folder / "store.db", key, BY_ID), self.w.dialer())
        session.start()
        self.sessions.append(session)
        await until(lambda: session.status.state is LinkState.ONLINE)
        return session

    async def restart_server(self) -> None:
        """Starts the server that was stopped, and has everybody connect."""
        await self.w.start_server()
        for session in self.sessions:
            session.engine.retry_now()
        await until(lambda: all(each.status.state is LinkState.ONLINE for each in self.sessions))


@asynccontextmanager
async def served(folder: Path, data: Path, stores: Stores, now: Moment) -> AsyncIterator[Served]:
    """A copy of the server whose folder is `data`, in `folder`, as long as the block lasts."""
    w = World(folder, Limits(), kinds=BY_ID)
    shutil.copytree(data, w.data)
    running = Served(w, stores, now)
    await w.start_server()
    try:
        yield running
    finally:
        for session in running.sessions:
            await session.close()
        await w.close()
