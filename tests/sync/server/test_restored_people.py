# SPDX-License-Identifier: EUPL-1.2
"""A restored server takes back people's staff records and log entries from every client that has them. Frames by
hand."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.host.identity import read_agency
from sync.server.operator import admin, listing
from sync.server.operator.aftermath import NO_RECORD, REMIND_MS, look
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import Running, start_server
from sync.server.rules.handshake import now_ms
from sync.server.rules.restored_people import SALT_BYTES
from sync.trust.person import user_drafts
from sync.trust.person.agency import RECORD_BYTES, Agency, encode_record
from sync.trust.person.author import Entry
from sync.trust.person.user_log import UserLog
from tests.sync.server.house import House
from tests.sync.server.said import said
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, Refused, config, now, open_wire


@dataclass
class Before:
    """Two in a room that the backup has, and a restored folder. Since the backup somebody enrolled, and Bert has lost
    a device or his account, as a test has it."""

    house: House
    data: Path
    room: bytes
    anna: Person
    bert: Person
    late: Person

    @asynccontextmanager
    async def restored(self) -> AsyncIterator[Running]:
        """The restored server, with Anna signed in."""
        async with start_server(config(self.data)) as server:
            self.house.server = server
            await self.anna.connect(server.url, self.data)
            yield server
            for who in (self.anna, self.bert, self.late):
                await who.wire.close()

    @property
    def agency(self) -> Agency:
        return read_agency(self.data)

    def berts_log(self, *builds: Callable[[UserLog, Agency], Entry]) -> list[m.Signed]:
        """Bert's whole log, with the entries that were added after the backup."""
        log = UserLog.replay([(e.body, e.sig) for e in self.bert.entries], self.agency.pk)
        out = list(self.bert.entries)
        for build in builds:
            body, sig = build(log, self.agency)
            log.apply(body, sig)
            out.append(m.Signed(body, sig))
        return out


@pytest.fixture
async def before(house: House, tmp_path: Path) -> Before:
    anna, bert, room = await house.two_in_a_room()
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    late = await house.person("Enhetschef")
    await house.close()
    back = tmp_path / "restored"
    assert await asyncio.to_thread(put_back, tmp_path / "backup", back) == []
    return Before(house, back, room, anna, bert, late)


def revoked(log: UserLog, agency: Agency) -> Entry:
    return user_drafts.revoke_by_agency(log, agency, next(iter(log.devices)), now())


def reset(log: UserLog, agency: Agency) -> Entry:
    return user_drafts.reset(log, agency, now())


async def hand(who: Person, entries: Sequence[m.Signed], staff: tuple[bytes, bytes] = (b"", b"")) -> None:
    await who.wire.ask(m.ReuploadLog(who.wire.rid(), list(entries), *staff), m.Ok)


async def code_of(asking: Awaitable[object]) -> str:
    with pytest.raises(Refused) as e:
        await asking
    return e.value.code


async def found(who: Person, words: str) -> list[bytes]:
    reply = await who.wire.ask(m.Directory(who.wire.rid(), words, []), m.DirectoryReply)
    return [p.uid for p in reply.people]


async def lacking(who: Person, *uids: bytes) -> tuple[dict[bytes, int], list[bytes]]:
    """The heads of the logs, and the persons whose record is lost."""
    reply = await who.wire.ask(m.LogHeads(who.wire.rid(), list(uids)), m.LogHeadsReply)
    return {h.uid: h.seq for h in reply.heads}, reply.lacking


async def is_sound(data: Path) -> None:
    problems: list[Problem] = []
    await asyncio.to_thread(verify, data, problems.append, lambda _: None)
    assert problems == []


# -- staff records -----


async def test_who_enrolled_after_the_backup_comes_back_with_their_name(before: Before) -> None:
    """Their device uploads log and record again before it can sign in."""
    late = before.late
    async with before.restored() as server:
        late.wire = await open_wire(server.url, before.data)
        await late.wire.greet()
        await hand(late, late.entries, late.staff)
        await hand(late, late.entries, late.staff)
        await late.auth()
        assert await found(before.anna, "enhetschef å") == [late.uid]
        assert await lacking(before.anna, late.uid) == ({late.uid: 2}, [])
    assert [line.name for line in await listing.users(before.data, "enhetschef")] == ["Enhetschef"]
    assert (await admin.invite_back(before.data, uid=late.uid)).count("-") > 10
    await is_sound(before.data)


async def test_a_colleague_uploads_a_log_without_a_record_and_another_the_record_alone(before: Before) -> None:
    anna, late = before.anna, before.late
    async with before.restored():
        await hand(anna, late.entries)
        assert await lacking(anna, late.uid, anna.uid) == ({late.uid: 2, anna.uid: 2}, [late.uid])
        assert await found(anna, "enhetschef") == []
        await hand(anna, late.entries[:1], late.staff)
        assert await lacking(anna, late.uid) == ({late.uid: 2}, [])
        assert await found(anna, "enhetschef") == [late.uid]
    await is_sound(before.data)


async def test_attack_a_record_that_the_binding_does_not_name_is_not_taken(before: Before) -> None:
    anna, bert, late = before.anna, before.bert, before.late
    salt, record = late.staff
    other = encode_record({"name": "Generaldirektör", "title": "", "unit": ""})
    bad = [
        (bert.staff, "invalid"),  # of another person
        ((os.urandom(16), record), "invalid"),
        ((b"", record), "invalid"),
        ((salt, b""), "invalid"),
        ((salt, other), "invalid"),
        ((salt, b"x"), "invalid"),
        ((salt, encode_record({"title": "no name"})), "invalid"),
        ((bytes(SALT_BYTES + 1), record), "oversize"),
        ((salt, bytes(RECORD_BYTES + 1)), "oversize"),
    ]
    async with before.restored():
        for staff, code in bad:
            assert await code_of(hand(anna, late.entries, staff)) == code
        assert await lacking(anna, late.uid) == ({}, [])
        await hand(anna, late.entries)
        for staff, code in bad:
            assert await code_of(hand(anna, late.entries[:1], staff)) == code
        assert await lacking(anna, late.uid) == ({late.uid: 2}, [late.uid])
        assert await code_of(hand(anna, bert.entries[:1], late.staff)) == "invalid"
        assert await found(anna, "registrator") == [bert.uid]
    await is_sound(before.data)


# -- revocations -----


@pytest.mark.parametrize("ends", [revoked, reset])
async def test_whoever_knows_of_a_revocation_makes_it_stand_and_the_room_waits_no_more(
    before: Before, ends: Callable[[UserLog, Agency], Entry]
) -> None:
    anna, bert = before.anna, before.bert
    entries = before.berts_log(ends)
    async with before.restored() as server:
        await bert.connect(server.url, before.data)  # valid again, as the backup has it
        await anna.wire.ask(m.ReuploadDone(anna.wire.rid()), m.Ok)
        (line,) = await listing.closed(before.data)
        assert [w.device for w in line.waits] == [bert.author.dev.hex()]
        assert await anna.subscribe(before.room) != [0]
        await hand(anna, entries)
        assert [type(f) for f in (anna.wire.unasked.get_nowait(), anna.wire.unasked.get_nowait())] == [
            m.MemberMoved,
            m.RestoreProgress,
        ]
        assert await listing.closed(before.data) == []
        ended = await bert.wire.end()
        assert ended is not None
        assert ended.code == "auth"
        await hand(anna, entries)
        await hand(anna, entries[-1:])
        await hand(anna, entries[:2])  # a shorter log removes nothing
        assert await lacking(anna, bert.uid) == ({bert.uid: 3}, [])
    await is_sound(before.data)


async def test_attack_a_forged_revocation_changes_nothing(before: Before) -> None:
    """Nor does one of a different agency, out of order, or in the place of a stored entry."""
    anna, bert = before.anna, before.bert
    true = before.berts_log(revoked, reset)
    log = UserLog.replay([(e.body, e.sig) for e in bert.entries], before.agency.pk)
    stranger = m.Signed(*user_drafts.reset(log, Agency(bytes(32)), now()))
    unsigned = m.Signed(true[3].body, bytes(64))
    forked = m.Signed(*user_drafts.reset(log, before.agency, now() + 1))
    async with before.restored():
        for entries, code in (
            ([stranger], "invalid"),
            ([unsigned], "invalid"),
            ([*bert.entries, unsigned], "invalid"),
            ([true[4]], "conflict"),
            ([true[4], true[3]], "conflict"),
            ([true[3], true[3]], "conflict"),
            ([true[3], stranger], "conflict"),
        ):
            assert await code_of(hand(anna, entries)) == code
        assert await lacking(anna, bert.uid) == ({bert.uid: 2}, [])
        await hand(anna, true[3:4])
        assert await code_of(hand(anna, [forked])) == "conflict"
        assert await code_of(hand(anna, [*bert.entries, forked])) == "conflict"
        await hand(anna, true)
        assert await code_of(hand(anna, [*true, stranger])) == "conflict"
        assert await lacking(anna, bert.uid) == ({bert.uid: 4}, [])
    await is_sound(before.data)


async def test_of_those_who_upload_a_lost_log_at_once_nobody_is_refused(before: Before) -> None:
    """The slower one's newer entries are taken behind the faster one's."""
    anna, bert, late = before.anna, before.bert, before.late
    entries = before.berts_log(revoked, reset)
    async with before.restored() as server:
        others = [await open_wire(server.url, before.data) for _ in range(4)]
        for wire in others:
            await wire.greet()
        asked = [
            wire.ask(m.ReuploadLog(wire.rid(), list(part), *staff), m.Ok)
            for wire, (part, staff) in zip(
                others,
                itertools.cycle([(entries[:4], (b"", b"")), (entries, bert.staff)]),
                strict=False,
            )
        ]
        asked += [wire.ask(m.ReuploadLog(wire.rid(), late.entries, *late.staff), m.Ok) for wire in others]
        await asyncio.gather(*asked)
        assert await lacking(anna, bert.uid, late.uid) == ({bert.uid: 4, late.uid: 2}, [])
        for wire in others:
            await wire.close()
    await is_sound(before.data)


# -- what an administrator reads -----


async def test_the_commands_report_that_a_record_is_missing(before: Before, capsys: pytest.CaptureFixture[str]) -> None:
    late = before.late
    async with before.restored() as server:
        await hand(before.anna, late.entries)
        await late.connect(server.url, before.data)
    (line,) = [user for user in await listing.users(before.data, "") if not user.name]
    assert (line.person, line.note) == (late.uid.hex(), NO_RECORD)
    (device,) = [each for each in await listing.devices(before.data, "") if not each.name]
    assert (device.person, device.note) == (late.uid.hex(), NO_RECORD)
    with pytest.raises(ConfigError, match="no staff record here"):
        await admin.invite_back(before.data, uid=late.uid)
    capsys.readouterr()
    args = ["--data", str(before.data)]
    assert await asyncio.to_thread(main, ["users", "enhetschef", *args]) == 0
    printed = capsys.readouterr()
    assert (printed.out, said(printed.err)) == (
        "",
        "1 without a staff record, whom no words find; without words all are listed\n",
    )
    assert await asyncio.to_thread(main, ["invite", "--person", late.uid.hex(), *args]) == 1
    assert said(capsys.readouterr().err).endswith(f"{NO_RECORD}\n")


async def test_status_lists_what_a_restore_left_to_do(before: Before, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["--data", str(before.data)]
    async with before.restored():
        await hand(before.anna, before.late.entries)
        capsys.readouterr()
        assert await asyncio.to_thread(main, ["status", *args]) == 0
        printed = json.loads(capsys.readouterr().out)["after_restore"]
        assert printed["backup"] <= printed["restored"] <= now_ms()
        assert printed["people_without_record"] == 1
        assert [line.split()[0] for line in printed["do_again"]] == ["What", "Activation", "Whoever", "1", "1"]
        await hand(before.anna, before.late.entries[:1], before.late.staff)
        async with admin.opened(before.data) as store:
            await store.open_room(before.room)
            later = await look(store, now_ms() + REMIND_MS)
    assert later is not None
    assert (later.people_without_record, later.do_again) == (0, [])


async def test_status_of_a_server_that_was_not_restored_has_nothing_of_it(house: House) -> None:
    await house.person()
    assert await admin.after_restore(house.data) is None
