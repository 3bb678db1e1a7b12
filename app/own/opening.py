# SPDX-License-Identifier: EUPL-1.2
"""Checks the form of the person's own objects before they are opened, in pieces between which other tasks run."""

import asyncio

from app.core.pieces import driven
from app.objects.crdt import checking
from app.objects.passed import is_remembered
from app.objects.pieces import Assembler
from app.own.projection import KIND_ID
from app.store.store import Store

_AT_ONCE = 4
"""Changes that are read from the store in one go: at most 0.8 MB."""


async def check_ahead(store: Store) -> None:
    """Checks the form of all updates that opening the person's own objects would check, in steps of at most 2 ms
    between which other tasks run. What passes is remembered, so that opening the objects takes only the time of the
    CRDT. Damaged bytes raise nothing here: opening the objects finds them too. StoreFault if the store cannot be read.

    ▲ Without these steps a stolen device could write 20,000 values, and each start of the person's other devices would
    check them in one piece, half a second, also once that device is revoked. ▲ Objects in rooms with other members are
    not checked, since they are not opened. Otherwise a colleague could make each start as long as they like.
    """
    for row in store.objects.all(kind=KIND_ID):
        if len(store.rooms_list.members(row.room)) > 1:
            continue
        cached = store.objects.crdt_state(row.obj)
        if cached is not None:
            await _check(cached[1])
        assembler, after = Assembler(), cached[0] if cached is not None else 0
        while page := store.changes.of(row.obj, after, _AT_ONCE):
            after = page[-1].rowid
            await asyncio.sleep(0)  # a short update is checked in one step
            for update in assembler.feed(page):
                await _check(update)


async def _check(update: bytes) -> None:
    if not is_remembered(update):
        await driven(checking(update))
