# SPDX-License-Identifier: EUPL-1.2
"""What is still missing after a restore, as far as the server can know, and what an administrator must do again.
People's computers upload the rest by themselves (restored_rooms.py, restored_people.py)."""

from dataclasses import dataclass

from sync.server.host.wording import format_time
from sync.server.store.base import Store

NO_RECORD = "no staff record here: it was lost in a restore, and comes back when the person or a colleague connects"
REMIND_MS = 30 * 86_400_000
"""How long after a restore an administrator is reminded of what the server cannot know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a restore from a backup left to do. `restored` is the time of the newest restore, `backup` the time of the
    backup that it used (both ms). `people_without_record` counts the people whose staff record is missing. `do_again`
    has sentences for an administrator; it is empty if nothing is left to do."""

    restored: int
    backup: int
    people_without_record: int
    do_again: list[str]


async def look(store: Store, now_ms: int) -> Aftermath | None:
    """What the newest restore of `store` from a backup left to do, as of `now_ms`; with an empty `do_again` if nothing
    is left, and None only if the store was never restored. Missing staff records, and rooms that are closed until
    people's computers bring back what was lost, are named while there are any. What the server cannot know (what was
    revoked, enrolled or made after the backup) is named for 30 days after the restore."""
    found = await store.restored()
    if found is None:
        return None
    nameless = len(await store.nameless())
    do_again = _reminders(found.backup_t) if now_ms < found.t + REMIND_MS else []
    if nameless:
        do_again.append(f"{nameless} in `users` without a name: {NO_RECORD}.")
    if closed := len(await store.closed_rooms()):
        do_again.append(f"{closed} rooms are closed: `closed` lists the computers that they wait for.")
    return Aftermath(restored=found.t, backup=found.backup_t, people_without_record=nameless, do_again=do_again)


def _reminders(backup_t: int) -> list[str]:
    since = format_time(backup_t)
    revoked = (
        f"What was revoked or reset after {since} comes back from colleagues' computers that know of it; "
        "what `devices` and `users` do not show after a day is to be done again."
    )
    return [
        revoked,
        f"Activation codes made after {since} are unknown here: make new ones for people who have not used theirs.",
        f"Whoever enrolled after {since} is in `users` once they, or somebody who knows them, have connected.",
    ]
