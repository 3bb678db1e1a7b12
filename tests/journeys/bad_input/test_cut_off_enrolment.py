# SPDX-License-Identifier: EUPL-1.2
"""An enrolment that is cut off in the middle is finished later, or begun again with another code."""

from collections.abc import Callable, Sequence

import pytest

from app.bootstrap import Office
from app.core.enums import LinkState, RoomType
from app.core.files import write_atomic
from app.errors import BugError, NotEnrolled, WeakPassphrase
from app.profile import Profile
from app.session import Session
from app.store.keyslots import new_key
from app.store.opening import create_store
from sync.client.account.enrolment import register
from sync.errors import Refused, Reject, Unreachable
from sync.ids import Hash
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.host.identity import read_agency
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import SignInCode, record_hash
from sync.trust.person.author import DeviceSecrets, new_user
from tests.journeys.bad_input.checks import explained
from tests.journeys.bad_input.signing_in import DAY_MS, enrol_by, mend_line, new_desk, spoil_line, still_new
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import World, until


def cut_at_enrol(*, reached: bool) -> Callable[[bytes, bool], Sequence[bytes]]:
    """The line breaks when the client registers: after the server has done it, or before."""
    asked: list[bool] = []

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        if out and isinstance(decode_client(data), m.Enrol):
            asked.append(True)
            if not reached:
                raise Unreachable("cut")
        elif not out and asked:
            raise Unreachable("cut")
        return [data]

    return spoil


async def _cut(o: Offices, desk: Desk, code: str, *, reached: bool) -> None:
    found = await desk.office.look_up(desk.server, code)
    spoil_line(desk, o.w, cut_at_enrol(reached=reached))
    with pytest.raises(Unreachable) as e:
        await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    explained(e.value.code, "unreachable")
    mend_line(desk)


async def _works(o: Offices, desk: Desk, session: Session) -> None:
    desk.session = session
    o.desks.append(desk)
    await desk.online()
    room = await session.rooms.create("Åäö", RoomType.GROUP)
    await until(lambda: session.store.waiting_count() == 0)
    assert session.people.me.name == "Registrator"
    assert (await admin.status(o.w.data)).users == 1
    await desk.restart()
    assert desk.session.rooms.room(room).title == "Åäö"


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_finished_at_the_next_attempt(o: Offices, reached: bool) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    await _cut(o, desk, code, reached=reached)
    found = await desk.office.look_up(desk.server, code)  # also if the person goes back a page
    assert found.name == "Registrator"
    session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    await _works(o, desk, session)


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_finished_at_the_next_start(o: Offices, reached: bool) -> None:
    """The server went down between doing it and saying so; the program was closed; both start again."""
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=reached)
    await o.w.stop_server()
    await o.w.start_server()
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)
    assert not desk.office.is_new
    await _works(o, desk, await desk.office.unlock(PASSPHRASE))


async def test_the_passphrase_of_the_second_attempt_is_the_one_that_counts(o: Offices) -> None:
    code = await o.w.invite("Registrator")
    desk = new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    spoil_line(desk, o.w, cut_at_enrol(reached=True))
    with pytest.raises(Unreachable):
        await desk.office.enrol(found, "en annan, först vald", lambda text, done, total: None)
    mend_line(desk)
    await _works(o, desk, await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None))


async def test_a_second_attempt_whose_passphrase_is_too_short_leaves_the_first_ones(o: Offices) -> None:
    """The server may have bound the account: without a way in to its keys it would be lost."""
    desk = new_desk(o)
    code = await o.w.invite("Registrator")
    await _cut(o, desk, code, reached=True)
    found = await desk.office.look_up(desk.server, code)
    with pytest.raises(WeakPassphrase):
        await desk.office.enrol(found, "kort", lambda text, done, total: None)
    _start_again(desk)
    await _works(o, desk, await desk.office.resume(PASSPHRASE))


async def test_a_code_that_is_looked_up_meanwhile_makes_nobody_elses_account(o: Offices) -> None:
    """While the account is made, another code is looked up: the person whom the user confirmed gets the account."""
    desk = new_desk(o)
    late, wanted = await o.w.invite("Enhetschef"), await o.w.invite("Registrator")
    found = await desk.office.look_up(desk.server, wanted)
    made = desk.office.place.add_slot

    async def meanwhile(key: bytes, passphrase: str | None) -> None:
        await made(key, passphrase)
        await desk.office.look_up(desk.server, late)

    desk.office.place.add_slot = meanwhile  # type: ignore[method-assign]
    session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    assert session.people.me.name == "Registrator"
    await _works(o, desk, session)


async def test_of_two_codes_the_one_whose_person_is_shown_last_makes_the_account(o: Offices) -> None:
    """A person goes back to the first code, whose enrolment was cut off, and confirms whom it names."""
    desk = new_desk(o)
    wanted, other = await o.w.invite("Registrator"), await o.w.invite("Enhetschef")
    await _cut(o, desk, wanted, reached=True)
    await desk.office.look_up(desk.server, other)
    found = await desk.office.look_up(desk.server, wanted)
    assert found.name == "Registrator"
    await _works(o, desk, await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None))


async def test_another_code_after_a_cut_off_enrolment_begins_anew(o: Offices) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=False)
    await _works(o, desk, await enrol_by(desk, await o.w.invite("Registrator")))


async def test_an_unfinished_account_whose_code_has_expired_says_so(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=False)
    monkeypatch.setattr("sync.server.rules.people.now_ms", lambda: now_ms() + 30 * DAY_MS)
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)
    desk.session = await desk.office.unlock(PASSPHRASE)
    o.desks.append(desk)
    await until(lambda: desk.session.status.state is LinkState.ERROR)
    explained(desk.session.status.code, "code-expired")
    assert desk.session.store.db.check() == []


def _start_again(desk: Desk) -> None:
    desk.profile.close()
    desk.profile = Profile.open(root=desk.folder)
    desk.office = Office(desk.profile)


@pytest.mark.parametrize("reached", [True, False])
async def test_an_enrolment_cut_off_is_told_at_the_next_start_and_resumed(o: Offices, reached: bool) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=reached)
    _start_again(desk)
    assert desk.office.is_unfinished
    await o.w.stop_server()
    with pytest.raises(Unreachable):
        await desk.office.resume(PASSPHRASE)
    assert desk.office.is_unfinished
    await o.w.start_server()
    session = await desk.office.resume(PASSPHRASE)
    assert not desk.office.is_unfinished
    await _works(o, desk, session)
    assert not desk.office.is_unfinished
    with pytest.raises(BugError):
        desk.office.start_over()


async def test_an_unfinished_account_whose_code_was_spent_is_begun_anew_with_another_code(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = new_desk(o)
    code = await o.w.invite("Registrator")
    await _cut(o, desk, code, reached=False)
    other = new_desk(o, "annan dator")
    await other.enrol(code)
    o.desks.append(other)
    _start_again(desk)
    with pytest.raises(Refused) as e:
        await desk.office.resume(PASSPHRASE)
    explained(e.value.code, "code-used")
    desk.office.start_over()
    assert desk.office.is_new
    assert desk.office.kinds() == []
    await still_new(o, desk)


async def test_an_enrolment_that_ended_before_its_keys_were_kept_says_so_and_is_begun_anew(o: Offices) -> None:
    desk = new_desk(o)
    write_atomic(desk.profile.enrolling_path, b"")
    key = new_key()
    create_store(desk.profile, key, {}).close()
    desk.office.slots.add_passphrase(key, PASSPHRASE)
    assert desk.office.is_unfinished
    with pytest.raises(NotEnrolled) as e:
        await desk.office.resume(PASSPHRASE)
    explained(e.value.code, "not-enrolled")
    desk.office.start_over()
    await still_new(o, desk)


async def test_an_unfinished_account_that_is_let_in_is_finished(o: Offices) -> None:
    desk = new_desk(o)
    await _cut(o, desk, await o.w.invite("Registrator"), reached=True)
    _start_again(desk)
    await _works(o, desk, await desk.office.unlock(PASSPHRASE))
    assert not desk.office.is_unfinished


async def test_the_server_takes_the_same_entries_again_and_no_others(w: World) -> None:
    code = SignInCode.parse(await w.invite("Registrator"))
    agency = read_agency(w.data)
    record = _record_of(await _invite_reply(w, code))
    cert = await _invite_reply(w, code)
    secrets = DeviceSecrets.fresh()
    signed = (cert.cert.body, cert.cert.sig)
    first, _ = new_user(secrets, code, agency.pk, signed, record, bytes(32), now_ms())
    other, _ = new_user(DeviceSecrets.fresh(), code, agency.pk, signed, record, bytes(32), now_ms())
    same_person, _ = new_user(secrets, code, agency.pk, signed, record, b"\x01" * 32, now_ms())
    await register(w.dialer(), agency.pk, first, now_ms)
    await register(w.dialer(), agency.pk, first, now_ms)
    for entries in (other, [first[0], *same_person[1:]]):
        with pytest.raises((Refused, Reject)) as e:
            await register(w.dialer(), agency.pk, entries, now_ms)
        explained(e.value.code, "code-used", "stale")


async def _invite_reply(w: World, code: SignInCode) -> m.InviteReply:
    line = await w.dialer().open()
    await line.send(encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now_ms(), "test")))
    await line.receive()
    await line.send(encode(m.Invite(1, code.key.public)))
    reply = decode_server(await line.receive())
    await line.close()
    assert isinstance(reply, m.InviteReply)
    return reply


def _record_of(reply: m.InviteReply) -> Hash:
    return record_hash(reply.salt, reply.record)
