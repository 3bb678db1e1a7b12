# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room that this person may not clear any more. tests/journeys/test_pruning.py clears over real sockets."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from app.core.enums import LinkState
from app.core.ids import ChangeId, ObjId, RoomId, new_change
from app.rooms import pruning
from app.rooms.pruning import Pruning
from app.store.store import Store
from sync.errors import Refused
from tests.app.store.test_trials import KINDS, NOTE
from tests.office import ROOM

if TYPE_CHECKING:
    from app.people.service import PeopleService
    from app.rooms.baselines import Baselines
    from sync.client.engine import Engine


async def test_a_former_administrator_does_not_wait_for_states_that_are_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window said for a minute that the state was being sent, and then that the server did not answer."""
    monkeypatch.setattr(pruning, "LOOK_S", 0.01)
    monkeypatch.setattr(pruning, "SENT_S", 1.0)
    refusal: list[str | None] = [None]

    class Renewing:
        async def renew(self, room: RoomId, obj: ObjId) -> list[ChangeId]:
            refusal[0] = "forbidden"  # an owner takes the role away while the state is being sent
            return [new_change()]

    engine = SimpleNamespace(
        status=SimpleNamespace(state=LinkState.ONLINE), prunes=lambda room: SimpleNamespace(refusal=refusal[0])
    )
    store = Store.create(tmp_path / "store.db", b"k" * 32, KINDS)
    made = Pruning(store, cast("Engine", engine), cast("PeopleService", None), cast("Baselines", Renewing()))
    with pytest.raises(Refused, match="forbidden"):
        await made._give(ROOM, [NOTE])
    store.close()
