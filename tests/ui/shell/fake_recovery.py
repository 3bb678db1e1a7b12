# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet, in memory."""

import asyncio
from dataclasses import replace

from app.recovery import AskedFor, Recovery, RecoverySheetPaper, RecoverySheetState
from sync.errors import Reject
from tests.ui.shell.sample import at


class FakeRecovery(Recovery):
    """The recovery sheet over a few values."""

    state: RecoverySheetState = RecoverySheetState.STANDS
    needs_old: bool = False
    reminds: bool = False

    def __init__(self) -> None:
        self.old = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG"
        self.published: list[tuple[str, str]] = []
        self.vetoed: list[AskedFor] = []
        self.waiting: list[AskedFor] = []
        self.error: Exception | None = None
        self.kept = False
        """Whether an attempt that fails ends by itself later."""
        self.going_on: asyncio.Event | None = None
        """What publishing waits for, if anything."""

    def dismiss(self) -> None:
        self.reminds = False

    def check_old(self, code: str) -> None:
        if code != self.old:
            raise Reject("recovery-sheet")

    def draw(self) -> RecoverySheetPaper:
        return RecoverySheetPaper(
            code="7KQ2-0MXA-9RTB-W4HN-ZC5E-1VDG-8PJS",
            name="Handläggare",
            title="Handläggare",
            unit="Enheten för tillsyn",
            server="kansli.myndighet.example",
            agency="3f 1c 88 a0",
            made_ms=at(14, 5),
        )

    async def publish(self, paper: RecoverySheetPaper, old: str = "") -> None:
        if self.going_on is not None:
            await self.going_on.wait()
        if self.error is not None:
            raise self.error
        self.published.append((paper.code, old))
        self.state = RecoverySheetState.STANDS

    def waits(self, paper: RecoverySheetPaper) -> bool:
        return self.kept

    def asked(self) -> list[AskedFor]:
        return self.waiting

    async def veto(self, asked: AskedFor) -> None:
        self.vetoed.append(asked)
        self.waiting = [replace(a, vetoed=True) if a == asked else a for a in self.waiting]
