# SPDX-License-Identifier: EUPL-1.2
"""Maintains invitations: finds people with the same name, and withdraws an invitation. Invitations are made in admin.py
and, for lists of people, in invite_list.py.
"""

from collections.abc import Sequence
from pathlib import Path

from sync.server.config import ConfigError
from sync.server.host.identity import read_agency_pk
from sync.server.operator import admin_log
from sync.server.operator.admin import opened
from sync.server.operator.staff_record import Staff
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Taken
from sync.server.store.sql import SqlStore
from sync.trust.person.agency import decode_record, invite_id
from sync.trust.person.user_log import UserLog

_EVERYBODY = 1_000_000


async def namesakes(data: Path, asked: Sequence[Staff]) -> list[tuple[int, str]]:
    """Warnings about people who are to be invited: (index in `asked`, sentence) for each record whose name a person or
    an open invitation has already; the sentence says which. Sorted by index; [] if there are none. Upper and lower case
    do not matter. Accounts that have ended do not count. `data`: the server's data folder. ConfigError if it has no
    database.

    The caller warns and does not refuse: two colleagues may have the same name, and the printed code can be withdrawn.
    An option to allow it would be needed for every second list, and soon be given every time.
    """
    wanted: dict[str, list[int]] = {}
    for index, each in enumerate(asked):
        wanted.setdefault(each.name.casefold(), []).append(index)
    async with opened(data) as store:
        found = await _people(store, wanted, read_agency_pk(data)) + await _invited(store, wanted)
    return sorted((index, text) for name, text in found for index in wanted[name])


async def _people(store: SqlStore, wanted: dict[str, list[int]], agency_pk: bytes) -> list[tuple[str, str]]:
    found = []
    for user in await store.search_people([], _EVERYBODY):
        record = decode_record(user.record) if user.record else {}
        name = record.get("name", "")
        if name.casefold() not in wanted:
            continue
        log = UserLog.replay([(r.body, r.sig) for r in await store.user_entries(user.uid, -1)], agency_pk)
        if log.ended is None:
            found.append((name.casefold(), f"{_format_record(record)} is here already: person {user.uid.hex()}"))
    return found


async def _invited(store: SqlStore, wanted: dict[str, list[int]]) -> list[tuple[str, str]]:
    now, found = now_ms(), []
    for row in await store.invites():
        record = decode_record(row.record) if row.record else {}
        name = record.get("name", "").casefold()
        if name in wanted and row.is_open(now):
            ident = invite_id(row.invite_pk).hex()
            found.append((name, f"{_format_record(record)} has an open invitation already: {ident}"))
    return found


def _format_record(record: dict[str, str]) -> str:
    """Formats `record`, a decoded staff record ("name", "title", "unit"), for a warning to the operator: `name (title,
    unit)`. An empty or missing title or unit is left out; without both only the name is left."""
    more = ", ".join(text for field in ("title", "unit") if (text := record.get(field, "")))
    return f"{record['name']} ({more})" if more else record["name"]


async def withdraw(data: Path, ident: bytes) -> None:
    """Ends the open invitation with the id `ident` (as `invites` prints it); its code is refused from then on. `data`:
    the server's data folder; the server may be running. ConfigError for an id that no invitation has, and for one that
    was used, withdrawn or has ended."""
    async with opened(data) as store:
        row = next((row for row in await store.invites() if invite_id(row.invite_pk) == ident), None)
        if row is None:
            raise ConfigError("no invitation has this id: kansli-server invites lists them")
        if row.withdrawn:
            raise ConfigError("this invitation is withdrawn already")
        if row.used_by is None and row.not_after <= now_ms():
            raise ConfigError("this invitation is too old to be used: there is nothing to withdraw")
        admin_log.record(store, "withdraw", invitation=ident)
        try:
            await store.withdraw_invite(row.invite_pk, now_ms())
        except Taken as e:  # perhaps just now
            raise ConfigError("this invitation has been used: revoke the device or reset the person instead") from e
