# SPDX-License-Identifier: EUPL-1.2
"""A world in which a room is pruned at once, a member who was away meanwhile, and what a client then does not do."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from app.objects.crdt import CrdtText
from app.objects.pieces import encode
from sync.client.exchange.reread import Rereading
from sync.client.status import LinkState
from sync.errors import Refused
from sync.protocol import messages as m
from sync.trust.room.room_state import Snapshot
from tests.sync.client.papers import WORDS, Paper, forgotten, quick_world, three_know
from tests.world import Client, World, until


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    async with quick_world(tmp_path, monkeypatch) as made:
        yield made


async def prune(w: World, p: Paper) -> int:
    """Prunes, and returns the position up to which the server has forgotten the document."""
    await p.head.engine.operations.prune(p.room, p.obj)
    ((_, n),) = p.at(p.head).stream.state.pruned.items()
    await forgotten(w, p, n)
    return n


async def prune_until_refused(p: Paper) -> None:
    """Two devices that made a snapshot at the same time left two behind which the object can be pruned."""
    for _ in p.rows(p.head):
        await p.head.engine.operations.prune(p.room, p.obj)


async def away_while_pruned(w: World, p: Paper, cut: pytest.MonkeyPatch | None = None) -> Client:
    """Another device of the clerk's, which was off while the document was written on and pruned. `cut`: it had read
    nothing of what is before the snapshot with which it began."""
    with (cut or pytest.MonkeyPatch()).context() as held:
        if cut is not None:
            await until(lambda: any(row.attests for row in p.rows(p.head)))
            held.setattr(Rereading, "queue", lambda *_: None)
        away = await w.second(p.clerk)
        await until(lambda: p.text(away) == p.text(p.head))
        await until(lambda: (away.engine.reread_progress(p.room) is not None) == (cut is not None))
        had = away.engine.position(p.room)
        await away.offline()
    await three_know(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    assert await prune(w, p) > had + 5
    await p.write(p.head, "slut")
    return away


async def whole_again(p: Paper, away: Client) -> None:
    """Waits until it has the text that the others have, and nothing is missing any more."""
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.store.incomplete(p.room) == [])


async def connected(client: Client) -> None:
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


def edit(p: Paper, by: Client, change: Callable[[CrdtText], None]) -> None:
    """One edit of the text, which waits to be sent."""
    doc, updates = p.doc(by), list[bytes]()
    doc.updated.connect(lambda u: updates.append(u.data))
    with doc.transact():
        change(doc.text("text"))
    for data in encode(updates[0]):
        by.say(p.room, p.obj, data)


async def attested_by_three(w: World, p: Paper) -> None:
    """A snapshot of all that is written, under the key in force. Another device may place one at the same moment, and
    then the others attest the later of the two."""
    await w.settle(p.room, p.head, p.clerk, p.guest)
    written = max(c.n or 0 for c in p.head.store.changes.of(p.obj))
    claimed = await p.claim(p.clerk, p.whole(p.clerk))

    def is_attested(row: Snapshot) -> bool:
        return row.n >= claimed.n and row.covers >= written and len(row.attests) > 1

    await until(lambda: any(map(is_attested, p.rows(p.head))))


async def items_of(p: Paper) -> list[m.WireItem]:
    return (await p.clerk.engine.parts.link.pull(p.room, 0)).items


async def nothing(*_: object) -> None: ...


async def refused(*_: object) -> None:
    raise Refused("invalid")
