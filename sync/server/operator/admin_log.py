# SPDX-License-Identifier: EUPL-1.2
"""Records what an administrator does: `record` for a command that writes to the store, `recorded` for one that changes
files. Every command that changes anything calls one of them; commands that only read call none.

The store keeps the entries in a chain (store/admin_chain.py). A server copies them to its log (admin_watch.py), and
`kansli-server audit` prints them.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from sync.server.config import Config, ConfigError
from sync.server.host.wording import current_user
from sync.server.rules.handshake import now_ms
from sync.server.store.admin_chain import OK, AdminEntry, AdminLog
from sync.server.store.database import connected, prepare
from sync.server.store.sql_admin_log import append
from sync.server.store.writer import unwritable

About = bytes | str | int
"""Ids as bytes, numbers, and fixed words. ▲ Never a name, a title or an address: these values are copied to the
server's log."""


def record(store: AdminLog, command: str, **about: About) -> None:
    """Records in the admin log that the user of this process gives the command called `command`. `about`: keyword
    arguments that say whom or what it concerns. Call this just before the write to `store` that does what the
    administrator asked for. The entry is written in the same transaction, so a killed process leaves both or neither. A
    command with several writes calls it before each of those that should have an entry; a second call before a write
    replaces the first entry. Nothing is recorded if no write succeeds."""
    store.record_with_next_write(entry(command, about))


@contextlib.contextmanager
def recorded(data: Path, command: str, *, result: str = OK, new: bool = False, **about: About) -> Iterator[None]:
    """Records in the admin log the command called `command`, which changes files of the data folder `data` in the
    block: the entry is committed if the block ends without an error. `about`: keyword arguments that say whom or what
    the command concerns. `result`: "ok" or a code. `new`: makes the database if there is none, as `init` does.
    Otherwise ConfigError if there is none: a lost database must not be replaced by an empty one without a word.

    The database is locked during the block, so a running server places nothing meanwhile: the block must be short. A
    process that is killed between the block's end and the commit (a flush to the disk) leaves no entry. StoreError if
    the database cannot be written; the block has not run unless only the commit failed.
    """
    path = Config(data=data).database
    if not new and not path.exists():
        raise ConfigError(f"{path} is missing: run init first, or restore a backup")
    engine = connected(path, None)
    try:
        prepare(engine)
        with engine.begin() as c:
            append(c, entry(command, about, result))
            yield
    except DBAPIError as e:
        raise unwritable(e) from e
    finally:
        engine.dispose()


def note(data: Path, command: str, *, result: str = OK, **about: About) -> None:
    """Records in the admin log the command called `command`, which has finished, such as a backup. `data`: the server's
    data folder. `about`: keyword arguments that say whom or what it concerned. `result`: "ok", or the code if the
    command failed. StoreError if the database cannot be written, ConfigError if there is none."""
    with recorded(data, command, result=result, new=False, **about):
        pass


def entry(command: str, about: Mapping[str, About], result: str = OK) -> AdminEntry:
    """The admin log's entry for the command called `command`, which the user of this process gives now. `about`: whom
    or what it concerns; ids become hex. `result`: "ok" or a code."""
    as_text = {name: value.hex() if isinstance(value, bytes) else value for name, value in about.items()}
    sudo_user = os.environ.get("SUDO_USER", "")[:_NAME_LENGTH]
    return AdminEntry(
        t=now_ms(),
        command=command,
        user=current_user()[:_NAME_LENGTH],
        sudo_user=sudo_user,
        about=as_text,
        result=result,
    )


_NAME_LENGTH = 64
