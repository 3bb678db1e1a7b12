# SPDX-License-Identifier: EUPL-1.2
"""Activation codes that are mistyped, unknown, used, expired or of another agency."""

from collections.abc import Callable, Sequence

import pytest

from app.core.enums import LinkState
from sync.errors import Refused
from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.server.host.identity import read_agency
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import SignInCode, record_hash
from tests.journeys.bad_input.checks import explained
from tests.journeys.bad_input.signing_in import DAY_MS, mend_line, new_desk, refusal, spoil_line, still_new
from tests.journeys.desks import PASSPHRASE, Offices


@pytest.mark.parametrize("spoil", [lambda c: c[:-1] + ("0" if c[-1] != "0" else "1"), lambda c: c[:-1], lambda c: ""])
async def test_a_mistyped_code(o: Offices, spoil: Callable[[str], str]) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    explained(await refusal(desk, spoil(code)), "code")
    await still_new(o, desk, code)


async def test_an_unknown_code(o: Offices) -> None:
    agency = SignInCode.parse(await o.w.invite("Registrator")).agency
    desk = new_desk(o)
    explained(await refusal(desk, SignInCode(bytes(16), agency).format()), "code-unknown")
    await still_new(o, desk)


async def test_a_used_code(o: Offices) -> None:
    code = await o.w.invite("Handläggare")
    first = new_desk(o, "Handläggare")
    await first.enrol(code)
    o.desks.append(first)
    desk = new_desk(o)
    explained(await refusal(desk, code), "code-used")
    await still_new(o, desk)
    assert first.session.status.state is LinkState.ONLINE


async def test_an_expired_code(o: Offices) -> None:
    code = await admin.invite(o.w.data, name="Registrator", title="", unit="", hours=-1)
    desk = new_desk(o)
    explained(await refusal(desk, code), "code-expired")
    await still_new(o, desk)


async def test_a_code_that_expires_between_looking_and_enrolling(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = new_desk(o)
    found = await desk.office.look_up(desk.server, await o.w.invite("Registrator"))
    with monkeypatch.context() as later:
        later.setattr("sync.server.rules.people.now_ms", lambda: now_ms() + 30 * DAY_MS)
        with pytest.raises(Refused) as e:
            await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    explained(e.value.code, "code-expired")
    await still_new(o, desk)


async def test_a_code_of_another_agency(o: Offices) -> None:
    admin.init(o.w.folder / "other", keys=o.w.folder / "other keys", demo_ca=["localhost"])
    code = await admin.invite(o.w.folder / "other", name="Registrator", title="", unit="")
    desk = new_desk(o)
    explained(await refusal(desk, code), "wrong-agency")
    await still_new(o, desk)


async def test_a_code_whose_binding_is_anothers_record_is_refused_by_the_client(o: Offices) -> None:
    """A lying server hands out somebody else's staff record for a code."""
    code = await o.w.invite("Registrator")
    agency = read_agency(o.w.data)
    key = SignInCode.parse(code).key.public
    cert = agency.certify_invite(key, record_hash(b"s" * 16, b"annat"), now_ms() + DAY_MS)
    desk = new_desk(o)

    def swap(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if isinstance(frame, m.InviteReply):
            return [encode(m.InviteReply(frame.rid, m.Signed(*cert), frame.salt, frame.record))]
        return [data]

    spoil_line(desk, o.w, swap)
    explained(await refusal(desk, code), "wrong-agency")
    mend_line(desk)
    await still_new(o, desk, code)
