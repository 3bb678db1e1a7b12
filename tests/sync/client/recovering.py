# SPDX-License-Identifier: EUPL-1.2
"""What a person does who comes back by a recovery sheet, and a clock by which the server waits for vetoes."""

from collections.abc import Callable

import pytest

from app.core import clock
from sync.client.account.account_recovery import Attempt, Recovery, Waiting
from sync.client.account.enrolment import converse
from sync.client.wire.connection import Connection
from sync.errors import Refused, Reject
from sync.protocol import messages as m
from sync.server.operator import admin
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from sync.trust.person import user_drafts
from sync.trust.person.agency import record_hash
from sync.trust.person.author import Entry
from sync.trust.person.user_drafts import RecoveryPlan
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import UserLog
from tests.world import Client, World, until

DAY_MS = 86_400_000


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the clock by which the server waits for vetoes."""
    return lambda ms: monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + ms)


async def attempt(w: World, who: Client, recovery_sheet: str, *, code: str = "", revoke: bool = True) -> Attempt:
    return Attempt.begin(await w.invite_back(who.uid, code), recovery_sheet, revoke=revoke)


def recovery(w: World, tried: Attempt) -> Recovery:
    return Recovery(w.dialer(), tried, clock.now_ms)


async def asked(w: World, tried: Attempt) -> int:
    """Asserts that the return waits, and gives until when."""
    answer = await recovery(w, tried).ask()
    assert isinstance(answer, Waiting)
    return answer.ready_ms


async def refused(w: World, tried: Attempt) -> str:
    with pytest.raises((Refused, Reject)) as e:
        await recovery(w, tried).ask()
    code: str = e.value.code
    return code


async def revoked_by_agency(w: World, client: Client, dev: bytes | None = None) -> None:
    await admin.revoke(w.data, uid=client.uid, dev=dev or client.engine.parts.link.account.dev)
    service = w.running.service if w.running is not None else None
    before = len(client.engine.devices.own_log.agency_revokes)
    await until(lambda: service is not None and len(service.people.log(client.uid).agency_revokes) > before)


async def ask_before_sign_in(w: World, tried: Attempt, build: Callable[[int], m.Frame]) -> m.Frame:
    """The answer to one frame before sign-in."""

    async def talk(connection: Connection) -> m.Frame:
        return await connection.request(build, m.Frame)

    return await converse(w.dialer(), tried.code.agency, clock.now_ms, talk)


async def built(w: World, tried: Attempt, who: Client) -> tuple[UserLog, list[Entry], RecoveryPlan]:
    """What an honest client would send now."""
    reply = await ask_before_sign_in(w, tried, lambda rid: m.Invite(rid, tried.code.key.public))
    assert isinstance(reply, m.InviteReply)
    back = RecoveryPlan(
        pair=tried.recovery_sheet,
        code=tried.code,
        cert=(reply.cert.body, reply.cert.sig),
        record=record_hash(reply.salt, reply.record),
        secrets=tried.secrets,
    )
    log = UserLog.replay(who.store.user_log(who.uid), who.engine.parts.link.account.agency_pk)
    entries, _ = user_drafts.recovery_entries(log, back, clock.now_ms())
    return log, entries, back


async def no(w: World, tried: Attempt, who: Client, entries: list[Entry]) -> str:
    signed = [m.Signed(*e) for e in entries]
    with pytest.raises(Refused) as e:
        await ask_before_sign_in(w, tried, lambda rid: m.Recover(rid, tried.code.key.public, who.uid, signed))
    return str(e.value)


async def built_without_invite(tried: Attempt, who: Client) -> tuple[UserLog, list[Entry], RecoveryPlan]:
    """As `built`, with the certificate from the log: the server no longer gives it."""
    rows = who.store.user_log(who.uid)
    payload = next(e.payload for e in map(UserEntry.decode, [b for b, _ in reversed(rows)]) if e.type == "binding")
    assert isinstance(payload, list)
    back = RecoveryPlan(
        pair=tried.recovery_sheet,
        code=tried.code,
        cert=(payload[1], payload[2]),
        record=payload[3],
        secrets=tried.secrets,
    )
    log = UserLog.replay(rows, who.engine.parts.link.account.agency_pk)
    entries, _ = user_drafts.recovery_entries(log, back, clock.now_ms())
    return log, entries, back
