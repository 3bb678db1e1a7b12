# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room's change history, in memory; a test lets it go on step by step."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from app.core.ids import ObjId, RoomId
from app.rooms.pruning import PrunableObject, PrunePlan, Pruning
from tests.ui.shell.sample import BOARD, DOCUMENT, REGISTRAR, at

READY = PrunableObject(
    obj=DOCUMENT, kind="document", title="Utkast till beslut", items=5310, size_bytes=1_140_000, lacks="baseline"
)
BOARD_READY = PrunableObject(obj=BOARD, kind="board", title="Ärendets uppgifter", items=1102, size_bytes=96_000)
EARLY = PrunableObject(
    obj=ObjId(b"e" * 16), kind="document", title="Yttrande", items=700, size_bytes=40_000, lacks="early",
    from_ms=at(9, 0, 27),
)  # fmt: skip
UNSEEN = replace(EARLY, obj=ObjId(b"u" * 16), title="Minnesanteckningar", lacks="snapshot", from_ms=0)
PLAN = PrunePlan(refusal=None, ready=(READY, BOARD_READY), lacking=(EARLY, UNSEEN), newcomers=(REGISTRAR,))


class FakePruning(Pruning):
    """`error` is raised once by `prune`; `gate` holds it after its first step."""

    def __init__(self) -> None:
        self.planned = PLAN
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.done = 0

    def refusal(self, room: RoomId) -> str | None:
        return self.planned.refusal

    async def plan(self, room: RoomId) -> PrunePlan:
        return self.planned

    async def prune(self, room: RoomId, progress: Callable[[str, int, int], None]) -> tuple[PrunableObject, ...]:
        went = self.planned.ready
        progress("state", 0, len(went))
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        progress("objects", len(went), len(went))
        self.done += 1
        self.planned = replace(self.planned, ready=(), newcomers=())
        return went
