# SPDX-License-Identifier: EUPL-1.2
"""Ends a program at each transaction that it commits apart from the event loop (`Database.apart`)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.store.database import Database


class Killed(Exception):
    """Stands for the end of the process: nothing more is written."""


def kill() -> None:
    """For `at_step`."""
    raise Killed


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], object], *, on: bool = True) -> None:
    """Has `act` called before the transaction number `step` (from 0) that is committed apart, and (`on`) before all
    later ones."""
    real, count = Database.apart, 0

    async def counted(db: Database, *given: Any, **named: Any) -> None:
        nonlocal count
        count += 1
        if count - 1 == step or (on and count - 1 > step):
            act()
        await real(db, *given, **named)

    monkeypatch.setattr(Database, "apart", counted)


async def idle() -> None:
    """No other task runs."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
