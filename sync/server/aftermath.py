# SPDX-License-Identifier: EUPL-1.2
"""What a restore left to do, as far as the server can know it, and what an administrator must do again. The rest comes
back by itself from people's computers (mending.py, returning.py)."""

from dataclasses import dataclass

from sync.server.described import format_time
from sync.server.store.base import Store

NO_RECORD = "no staff record here: it was lost in a restore, and comes back when the person or a colleague connects"
REMIND_MS = 30 * 86_400_000
"""How long after a restore an administrator is reminded of what no server can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """`restored`: when the newest restore was, `backup`: from a backup of when (both ms). `people_without_record`:
    whose staff record is not back. `do_again`: sentences for an administrator, none when nothing is left."""

    restored: int
    backup: int
    people_without_record: int
    do_again: list[str]


async def look(store: Store, now_ms: int) -> Aftermath | None:
    """None for a server that never was restored."""
    found = await store.restored()
    if found is None:
        return None
    nameless = len(await store.nameless())
    told = _reminders(found.backup_t) if now_ms < found.t + REMIND_MS else []
    if nameless:
        told.append(f"{nameless} in `users` without a name: {NO_RECORD}.")
    if closed := len(await store.closed_rooms()):
        told.append(f"{closed} rooms are closed: `closed` lists the computers that they wait for.")
    return Aftermath(restored=found.t, backup=found.backup_t, people_without_record=nameless, do_again=told)


def _reminders(backup_t: int) -> list[str]:
    since = format_time(backup_t)
    revoked = (
        f"What was revoked or reset after {since} comes back from colleagues' computers that know of it; "
        "what `devices` and `users` do not show after a day is to be done again."
    )
    return [
        revoked,
        f"Activation codes made after {since} are unknown here: make new ones for whoever has not used theirs.",
        f"Whoever enrolled after {since} is in `users` once they, or somebody who knows them, have connected.",
    ]
