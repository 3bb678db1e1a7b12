# SPDX-License-Identifier: EUPL-1.2
"""Attacks with user logs, which everybody may upload again to a restored server, also before sign-in.
Frames by hand."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.host.identity import read_agency
from sync.server.process.running import Running, start_server
from sync.server.rules import people, restored_rooms
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, record_hash
from sync.trust.person.author import DeviceSecrets, Entry, new_user
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import UserLog
from sync.trust.room.restore_notice import LAG_MS
from tests.sync.server.house import House
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, Refused, config, now, open_wire


class Agencys:
    """An agency's invitations that the store lacks: made after the backup, used, and lost."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency

    def invitation(self, staff: tuple[bytes, bytes], for_ms: int = 3_600_000) -> tuple[SignInCode, Entry]:
        """An invitation that ends in `for_ms`; one that has ended if that is negative."""
        code = SignInCode.fresh(self.agency.pk)
        return code, self.agency.certify_invite(code.key.public, record_hash(*staff), now() + for_ms)

    def bound_again(self, log: UserLog, staff: tuple[bytes, bytes], code: SignInCode, cert: Entry) -> Entry:
        """Adds the next binding to a log. Returns the entry."""
        entry = user_drafts.bind_again(log, code, self.agency.pk, cert, record_hash(*staff), now())
        log.apply(*entry)
        return entry

    def second_log(self, staff: tuple[bytes, bytes], code: SignInCode, cert: Entry) -> list[Entry]:
        """The log of a second person under the same staff record."""
        secrets = DeviceSecrets.fresh()
        return new_user(secrets, code, self.agency.pk, cert, record_hash(*staff), os.urandom(32), now())[0]


async def restored(house: House, tmp_path: Path) -> Path:
    """The data folder of a server that was restored from a fresh backup."""
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    await house.close()
    back = tmp_path / "restored"
    assert await asyncio.to_thread(put_back, tmp_path / "backup", back) == []
    return back


async def hand(server: Running, data: Path, entries: Sequence[Entry]) -> str:
    """Uploads entries again without signing in. Returns the refusal's code, or "ok"."""
    wire = await open_wire(server.url, data)
    try:
        await wire.greet()
        await wire.ask(m.ReuploadLog(wire.rid(), [m.Signed(*e) for e in entries]), m.Ok)
    except Refused as e:
        return e.code
    finally:
        await wire.close()
    return "ok"


def entries_of(who: Person) -> list[Entry]:
    return [(e.body, e.sig) for e in who.entries]


async def test_attack_a_code_that_led_back_makes_no_second_person_after_a_restore(house: House, tmp_path: Path) -> None:
    """Bert was invited back twice since the backup. Somebody who finds the letters is refused: the codes were used."""
    bert = await house.person("Registrator")
    agencys, log = Agencys(read_agency(house.data)), UserLog.replay(entries_of(bert), read_agency(house.data).pk)
    letters = [agencys.invitation(bert.staff) for _ in range(2)]
    entries = entries_of(bert) + [agencys.bound_again(log, bert.staff, *letter) for letter in letters]
    back = await restored(house, tmp_path)
    async with start_server(config(back)) as server:
        assert await hand(server, back, entries) == "ok"
        assert await hand(server, back, entries) == "ok"
        for letter in letters:
            assert await hand(server, back, agencys.second_log(bert.staff, *letter)) == "code-used"


async def test_attack_nor_does_a_later_code_of_somebody_whose_whole_log_was_lost(house: House, tmp_path: Path) -> None:
    await house.person()
    agencys, staff = Agencys(read_agency(house.data)), (b"s" * 16, b"")
    back = await restored(house, tmp_path)
    first, later = agencys.invitation(staff), agencys.invitation(staff)
    entries = agencys.second_log(staff, *first)
    log = UserLog.replay(entries, agencys.agency.pk)
    entries.append(agencys.bound_again(log, staff, *later))
    async with start_server(config(back)) as server:
        assert await hand(server, back, entries) == "ok"
        for letter in (first, later):
            assert await hand(server, back, agencys.second_log(staff, *letter)) == "code-used"


async def test_attack_one_invitation_stands_in_a_log_that_comes_back_once(house: House, tmp_path: Path) -> None:
    """Otherwise a log could get any length: the entries of an invitation are not counted."""
    bert = await house.person("Registrator")
    agencys, log = Agencys(read_agency(house.data)), UserLog.replay(entries_of(bert), read_agency(house.data).pk)
    letter = agencys.invitation(bert.staff)
    twice = [agencys.bound_again(log, bert.staff, *letter) for _ in range(2)]
    back = await restored(house, tmp_path)
    async with start_server(config(back)) as server:
        assert await hand(server, back, twice) == "invalid"
        assert await hand(server, back, twice[:1]) == "ok"
        assert await hand(server, back, twice[1:]) == "conflict"


async def test_a_log_whose_entries_do_not_follow_each_other_is_a_conflict_for_unknown_people_too(
    house: House, tmp_path: Path
) -> None:
    await house.person()
    agencys, staff = Agencys(read_agency(house.data)), (b"s" * 16, b"")
    back = await restored(house, tmp_path)
    first, second, third = agencys.second_log(staff, *agencys.invitation(staff))
    async with start_server(config(back)) as server:
        assert await hand(server, back, [first, third]) == "conflict"
        assert await hand(server, back, [second, third]) == "conflict"
        assert await hand(server, back, [first, second, third]) == "ok"


async def test_attack_a_day_after_a_restore_no_code_makes_a_new_person(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody finds the letter of a code that was never used, on a server that was restored at some time."""
    await house.person()
    agencys, staff = Agencys(read_agency(house.data)), (b"s" * 16, b"")
    back = await restored(house, tmp_path)
    first, second = (agencys.second_log(staff, *agencys.invitation(staff)) for _ in range(2))
    async with start_server(config(back)) as server:
        assert await hand(server, back, first) == "ok"
        monkeypatch.setattr(restored_rooms, "LOGS_AFTER_MS", 0)
        assert await hand(server, back, second) == "forbidden"
        assert await hand(server, back, first) == "ok"  # nothing of it is new


async def test_attack_a_code_that_had_ended_before_the_backup_is_worth_nothing_after_the_restore(
    house: House, tmp_path: Path
) -> None:
    """Neither for a new person nor for one who is here. What ended a moment before may have been used at the end."""
    bert = await house.person("Registrator")
    agencys, staff = Agencys(read_agency(house.data)), (b"s" * 16, b"")
    ended, just_ended, bound = (agencys.invitation(staff, for_ms=ms) for ms in (-LAG_MS - 1, -LAG_MS // 2, -LAG_MS - 1))
    log = UserLog.replay(entries_of(bert), agencys.agency.pk)
    again = agencys.bound_again(log, staff, *bound)
    back = await restored(house, tmp_path)
    async with start_server(config(back)) as server:
        assert await hand(server, back, agencys.second_log(staff, *ended)) == "code-expired"
        assert await hand(server, back, [again]) == "code-expired"
        assert await hand(server, back, agencys.second_log(staff, *just_ended)) == "ok"


# -- length -----


def flood(who: Person, agency_pk: bytes, count: int) -> list[Entry]:
    """Many valid entries of the person's log, each of which replaces the root key."""
    log, root = UserLog.replay(entries_of(who), agency_pk), SigningKey(who.secrets.root)
    out = []
    for _ in range(count):
        new = SigningKey(os.urandom(32))
        entry = user_drafts.replace_root(log, root, new, now())
        log.apply(*entry)
        out.append(entry)
        root = new
    return out


async def test_attack_a_log_that_comes_back_is_no_longer_than_any_other(house: House, tmp_path: Path) -> None:
    """In one frame or many, for a known or unknown person. The entry that ends the account is taken all the same."""
    bert, agency = await house.person("Registrator"), read_agency(house.data)
    more = flood(bert, agency.pk, 30)
    staff, agencys = (b"s" * 16, b""), Agencys(agency)
    lost = Person("Registrator")
    lost.entries = [m.Signed(*e) for e in _founded(lost, agencys, staff)]
    whole = entries_of(lost) + flood(lost, agency.pk, 30)
    log = UserLog.replay(entries_of(bert) + more[:17], agency.pk)
    ending = user_drafts.reset(log, agency, now())
    back = await restored(house, tmp_path)
    async with start_server(config(back, Limits(log_entries=20))) as server:
        assert await hand(server, back, more) == "quota"
        assert await hand(server, back, more[:10]) == "ok"
        assert await hand(server, back, more[10:18]) == "quota"
        assert await hand(server, back, more[10:17]) == "ok"
        assert await hand(server, back, more[17:18]) == "quota"
        assert await hand(server, back, [ending]) == "ok"
        assert await hand(server, back, whole) == "quota"
        assert await hand(server, back, whole[:20]) == "ok"


def _founded(who: Person, agencys: Agencys, staff: tuple[bytes, bytes]) -> list[Entry]:
    code, cert = agencys.invitation(staff)
    return new_user(who.secrets, code, agencys.agency.pk, cert, record_hash(*staff), who.puk_seed, now())[0]


@contextmanager
def decoded_in_turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[int]]:
    """Counts how many entries are decoded in each step of the event loop, until the block ends."""
    counts: Counter[int] = Counter()
    turn, loop, real = [0], asyncio.get_running_loop(), UserEntry.decode

    def again() -> None:
        turn[0] += 1
        handle[0] = loop.call_soon(again)

    def decode(body: bytes) -> UserEntry:
        counts[turn[0]] += 1
        return real(body)

    monkeypatch.setattr(UserEntry, "decode", decode)
    handle = [loop.call_soon(again)]
    try:
        yield counts
    finally:
        handle[0].cancel()


async def test_attack_a_long_log_that_comes_back_leaves_the_loop_its_turns(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 entries would delay other clients by 80 ms if they were judged in one step."""
    bert, agency = await house.person("Registrator"), read_agency(house.data)
    staff, lost = (b"s" * 16, b""), Person("Registrator")
    lost.entries = [m.Signed(*e) for e in _founded(lost, Agencys(agency), staff)]
    more, whole = flood(bert, agency.pk, 100), entries_of(lost) + flood(lost, agency.pk, 100)
    back = await restored(house, tmp_path)
    async with start_server(config(back)) as server:
        with decoded_in_turns(monkeypatch) as counts:
            assert await hand(server, back, more) == "ok"
            assert await hand(server, back, whole) == "ok"
    assert counts.total() >= 400
    assert max(counts.values()) <= 2 * people.BREATHE  # what ends the reading, and what begins the judging
