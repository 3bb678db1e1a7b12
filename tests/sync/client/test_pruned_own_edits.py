# SPDX-License-Identifier: EUPL-1.2
"""Nobody loses what was pruned: what one wrote oneself counts once, though what it builds on is pruned."""

from dataclasses import replace

import pytest

from sync.client.status import LinkState
from tests.sync.client.papers import WORDS, paper, three_know
from tests.sync.client.pruning import edit, nothing, prune, w
from tests.world import World, until

__all__ = ["w"]  # a fixture


@pytest.mark.slow
async def test_what_was_written_offline_is_in_the_text_though_what_it_builds_on_is_pruned(w: World) -> None:
    """Its neighbours were deleted in between, too."""
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    had = away.engine.position(p.room)
    await away.offline()
    edit(p, away, lambda text: text.insert(5, "osänt "))
    edit(p, away, lambda text: text.insert(5, "också "))
    await three_know(p)
    edit(p, p.head, lambda text: text.delete(0, 20))
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    await prune(w, p)
    away.online()
    await w.settle(p.room, *w.clients)
    await until(lambda: p.text(away) == p.text(p.head))
    assert "också osänt " in p.text(p.head)
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head))


@pytest.mark.slow
async def test_what_was_placed_and_pruned_before_its_author_saw_it_there_counts_once(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    had = away.engine.position(p.room)
    with monkeypatch.context() as cut:
        cut.setattr(away.engine.parts.inbox, "_take_fresh", nothing)
        edit(p, away, lambda text: text.insert(0, "Eget "))
        await until(lambda: "Eget" in p.text(p.head))
        await away.stop()
    assert away.engine.position(p.room) == had
    await three_know(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    await prune(w, p)
    await away.restart()
    await until(lambda: away.engine.status.state is LinkState.ONLINE)
    await w.settle(p.room, *w.clients)
    await until(lambda: p.text(away) == p.text(p.head))
    assert p.text(p.head).count("Eget") == 1
