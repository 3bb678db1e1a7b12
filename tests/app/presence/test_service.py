# SPDX-License-Identifier: EUPL-1.2
"""What colleagues see of each other, and when it is sent."""

from collections.abc import Callable
from datetime import date, timedelta
from math import inf

import pytest

from app.core import clock
from app.core.enums import Presence
from app.core.ids import DevId
from app.errors import DiskFull
from app.presence.answering import AGAIN_S, Addressee, Answering
from app.presence.audience import Audience
from app.presence.colleagues import EXPIRES_S, MAX_DEVICES, PersonPresence
from app.presence.records import Ask, Choice, Gone, Here, encode, stored
from tests.app.presence.simulated import START_MS, Desk, World, room_of, uid_of

ROOM, OTHER_ROOM = room_of(1), room_of(2)
HERE = encode(Here(state="busy"))
AVAILABLE, BUSY, AWAY, DO_NOT_DISTURB, IN_CALL = Presence


def world(desks: int = 2) -> tuple[World, list[Desk]]:
    """A room with so many people, each at a desk that has been online for a while."""
    made = World({ROOM: [uid_of(n) for n in range(desks)]})
    at = [made.desk(n) for n in range(desks)]
    made.connect(*at)
    made.time.pass_s(20)
    return made, at


def seen(at: Desk, of: Desk) -> Presence | None:
    found = at.service.of(of.uid)
    return found.state if found is not None else None


def test_colleagues_see_who_is_there() -> None:
    _, (a, b) = world()
    assert (seen(a, b), seen(b, a)) == (AVAILABLE, AVAILABLE)
    assert a.service.of(uid_of(9)) is None


def test_a_change_is_seen_with_its_words_and_the_day() -> None:
    w, (a, b) = world()
    day = clock.local(START_MS).date() + timedelta(days=3)
    a.service.choose(AWAY, "Kurs\ni Malmö 🙂", day)
    w.time.pass_s(1)
    assert b.service.of(a.uid) == PersonPresence(state=AWAY, text="Kurs i Malmö 🙂", back_on=day)
    w.time.pass_s(4 * 86_400)  # a desk that says nothing new is back by itself
    assert b.service.of(a.uid) == PersonPresence(state=AVAILABLE)
    assert a.service.choice.text == ""


def test_changes_are_sent_once_in_ten_seconds_and_the_last_one_counts() -> None:
    w, (a, b) = world()
    sent = len(w.frames)
    for text in "abcdefgh":
        a.service.choose(BUSY, text)
        w.time.pass_s(0.1)
    w.time.pass_s(10)
    found = b.service.of(a.uid)
    assert found is not None
    assert found.text == "h"
    assert len(w.frames) - sent == 2


def test_do_not_disturb_is_sent_at_once() -> None:
    w, (a, b) = world()
    a.service.choose(BUSY)
    a.service.choose(DO_NOT_DISTURB)
    w.time.pass_s(0.2)
    a.service.choose(AVAILABLE)
    w.time.pass_s(0.2)
    assert seen(b, a) is DO_NOT_DISTURB
    a.service.choose(DO_NOT_DISTURB)
    w.time.pass_s(0.2)
    assert seen(b, a) is DO_NOT_DISTURB
    assert a.service.quiet


def test_presence_is_repeated_every_five_minutes_and_expires_after_eleven() -> None:
    w, (a, b) = world()
    sent = len(w.frames)
    w.time.pass_s(3600)
    assert 2 * 10 <= len(w.frames) - sent <= 2 * 15
    assert seen(b, a) is AVAILABLE
    w.online.discard(a.dev)  # a computer that lost its network says nothing
    w.time.pass_s(EXPIRES_S - 400)
    assert seen(b, a) is AVAILABLE
    w.time.pass_s(500)
    assert seen(b, a) is None


def test_who_ends_is_gone_at_once_and_never_away() -> None:
    w, (a, b) = world()
    a.service.end()
    w.time.pass_s(0.1)
    assert seen(b, a) is None
    assert b.changed[-1] == a.uid


def test_nothing_is_sent_after_the_end_though_the_connection_is_still_open() -> None:
    """A session tells its parts of every change of the engine's status, also while it is being closed."""
    w, (a, b) = world()
    a.service.end()
    a.service.on_status(online=True)
    w.time.pass_s(400)
    assert seen(b, a) is None


def test_a_device_that_comes_online_is_answered() -> None:
    w, (a, b) = world()
    a.service.choose(BUSY)
    w.disconnect(b)
    w.time.pass_s(700)
    assert seen(b, a) is None
    w.connect(b)
    w.time.pass_s(4)
    assert (seen(b, a), seen(a, b)) == (BUSY, AVAILABLE)


def test_a_program_that_was_started_again_at_once_is_answered_too() -> None:
    w, (a, b) = world()
    w.disconnect(b)
    again = w.desk(1)
    w.connect(again)
    w.time.pass_s(4)
    assert seen(again, a) is AVAILABLE


def test_a_device_that_was_not_known_before_is_answered_when_the_log_shows_it() -> None:
    w, (a, b) = world()
    w.online.add(b.dev)
    new = w.desk(0, device=1)
    new.service.on_status(online=True)  # nobody can verify what it sends yet
    w.time.pass_s(5)
    w.online.add(new.dev)
    assert (seen(new, b), b.service.of(a.uid)) == (None, PersonPresence(state=AVAILABLE))
    b.service.on_log(a.uid)
    w.time.pass_s(5)
    assert seen(new, b) is AVAILABLE
    a.service.end()
    w.time.pass_s(1)
    assert seen(b, a) is AVAILABLE  # by the new device


def test_a_new_device_is_asked_also_if_presence_was_sent_to_all_meanwhile() -> None:
    w, (a, b) = world()
    w.online.add(b.dev)
    new = w.desk(0, device=1)
    new.service.on_status(online=True)  # nobody can verify what it sends yet
    w.time.pass_s(5)
    w.online.add(new.dev)
    b.service.on_log(a.uid)
    w.time.pass_s(0.001)
    b.service.choose(DO_NOT_DISTURB)
    w.time.pass_s(5)
    a.service.end()
    w.time.pass_s(1)
    assert seen(b, a) is AVAILABLE  # by the new device
    assert [to for _, _, to in w.frames].count(new.dev) == 1


def test_a_room_that_was_not_in_the_audience_for_a_while_is_greeted_again() -> None:
    """As with a new room: its founder greets it while alone in it. The room is not in the audience while a colleague is
    added, and is in it again once the colleague has accepted."""
    w, (a, b) = world()
    w.disconnect(b)
    w.time.pass_s(700)
    known = w.audience(a.uid)
    w.set_audience(a, Audience())
    w.connect(b)
    w.time.pass_s(5)
    assert seen(b, a) is None
    w.set_audience(a, known)
    w.time.pass_s(5)
    assert (seen(b, a), seen(a, b)) == (AVAILABLE, AVAILABLE)


def test_an_answer_goes_to_the_new_device_alone_and_not_again_within_a_minute() -> None:
    w, desks = world(30)
    w.frames.clear()
    new = w.desk(0, device=1)
    w.connect(new)
    w.time.pass_s(10)
    answers = [to for _, _, to in w.frames if to is not None]
    assert answers == [new.dev] * 30
    w.frames.clear()
    for _ in range(5):  # a network that comes and goes
        w.disconnect(new)
        w.connect(new)
        w.time.pass_s(5)
    assert [to for _, _, to in w.frames if to is not None] == []
    assert all(seen(new, desk) is AVAILABLE for desk in desks)


def test_a_device_whose_answer_was_dropped_is_answered_when_it_asks_again() -> None:
    answering, to = Answering(), Addressee(ROOM, DevId(bytes(16)))
    answering.add(to, 1.0, 3.0, asked=False)
    answering.clear()
    answering.add(to, 2.0, 0.0, asked=False)
    assert answering.take(2.0, {}) == to
    answering.clear()
    answering.add(to, 3.0, 0.0, asked=False)
    assert answering.take(3.0, {}) is None, "it was answered a second ago"


def test_a_program_that_was_started_again_right_after_it_was_answered_is_answered_once_more() -> None:
    """Otherwise it shows nothing of a colleague until that colleague's presence is repeated, after five minutes."""
    answering, to = Answering(), Addressee(ROOM, DevId(bytes(16)))
    answering.add(to, 1.0, 0.0, asked=False)
    assert answering.take(1.0, {}) == to
    for at_s in (2.0, 3.0):
        answering.add(to, at_s, 1.0, asked=False)
    assert answering.take(1.0 + AGAIN_S - 0.1, {}) is None
    assert answering.take(1.0 + AGAIN_S, {}) == to
    assert answering.next_s == inf


def test_an_answer_that_waits_wakes_nobody_before_it_is_due() -> None:
    w, (a, _) = world()
    for _ in range(2):
        again = w.desk(1)
        w.connect(again)
        w.time.pass_s(5)
    assert seen(again, a) is None, "it was answered a moment ago, at its first start"
    before = w.time.calls
    w.time.pass_s(4)
    assert w.time.calls == before
    w.time.pass_s(AGAIN_S)
    assert seen(again, a) is AVAILABLE


def test_a_device_that_waits_for_a_second_answer_is_told_of_a_change_at_once() -> None:
    answering, to = Answering(), Addressee(ROOM, DevId(bytes(16)))
    answering.add(to, 1.0, 0.0, asked=True)
    assert answering.take(1.0, {}) == to
    answering.add(to, 2.0, 0.0, asked=True)
    assert answering.take(2.0, {}) is None
    answering.add_askers(3.0)
    assert answering.take(3.0, {}) == to
    assert answering.next_s == inf


def test_nothing_is_shown_of_others_while_this_device_is_offline() -> None:
    w, (a, b) = world()
    w.disconnect(b)
    w.time.pass_s(20)
    assert seen(b, a) is AVAILABLE  # a connection that is back at once changes nothing
    w.time.pass_s(60)
    assert seen(b, a) is None


def test_away_only_while_no_device_is_in_use() -> None:
    w, (a, b) = world()
    other = w.desk(0, device=1)
    w.connect(other)
    w.time.pass_s(20)
    a.service.set_in_use(False)
    w.time.pass_s(20)
    assert (seen(b, a), seen(a, a)) == (AVAILABLE, AVAILABLE)
    other.service.set_in_use(False)
    w.time.pass_s(20)
    assert seen(b, a) is AWAY
    a.service.set_in_use(True)
    w.time.pass_s(20)
    assert seen(b, a) is AVAILABLE


def test_busy_stays_busy_when_nobody_types_and_a_call_shows_on_any_device() -> None:
    w, (a, b) = world()
    a.service.choose(BUSY)
    a.service.set_in_use(False)
    w.time.pass_s(20)
    assert seen(b, a) is BUSY
    a.service.set_in_call(True)
    w.time.pass_s(20)
    assert seen(b, a) is IN_CALL
    a.service.choose(DO_NOT_DISTURB)
    w.time.pass_s(20)
    assert seen(b, a) is DO_NOT_DISTURB


def test_the_newest_choice_counts_on_all_devices_of_a_person_and_is_stored_there() -> None:
    w, (a, b) = world()
    other = w.desk(0, device=1)
    w.connect(other)
    w.time.pass_s(20)
    a.service.choose(BUSY, "Möte")
    w.time.pass_s(20)
    other.service.choose(DO_NOT_DISTURB, "Sekretess å")
    w.time.pass_s(20)
    assert seen(b, a) is DO_NOT_DISTURB
    assert (a.service.choice.state, a.service.choice.text) == (DO_NOT_DISTURB, "Sekretess å")
    assert a.notes == other.notes


def test_the_newest_choice_counts_though_the_clocks_of_two_devices_are_apart() -> None:
    w, (a, b) = world()
    other = w.desk(0, device=1, ahead_ms=lambda: 300_000)
    w.connect(other)
    w.time.pass_s(20)
    other.service.choose(BUSY, "Möte å 🙂")
    w.time.pass_s(60)
    a.service.choose(AVAILABLE, "Åter")
    w.time.pass_s(400)  # both devices have repeated it
    assert [each.service.choice.text for each in (a, other)] == ["Åter", "Åter"]
    assert seen(b, a) is AVAILABLE


def test_a_choice_of_a_clock_that_was_years_ahead_does_not_come_back() -> None:
    w, (a, _) = world()
    years_ms = 75 * 365 * 86_400_000
    ahead = [years_ms]
    other = w.desk(0, device=1, ahead_ms=lambda: ahead[0])
    other.service.choose(BUSY, "Möte å 🙂")
    ahead[0] = 0  # the system has set its clock
    w.connect(other)
    w.time.pass_s(60)
    assert a.service.choice.text == "Möte å 🙂"
    a.service.choose(AVAILABLE, "Åter")
    w.time.pass_s(400)
    assert [each.service.choice.text for each in (a, other)] == ["Åter", "Åter"]
    w.disconnect(other)
    again = w.desk(0, device=2, notes=other.notes)
    assert again.service.choice.text == "Åter"


def test_a_stored_choice_of_a_clock_that_was_years_ahead_counts_as_new_once() -> None:
    w, (a, _) = world()
    later = stored(Choice(state=BUSY, text="Möte å 🙂", chosen_ms=START_MS + 75 * 365 * 86_400_000))
    notes = [later]
    w.desk(0, device=1, notes=notes)
    assert notes != [later]
    w.time.pass_s(20)
    a.service.choose(AVAILABLE, "Åter")
    again = w.desk(0, device=2, notes=list(notes))
    w.connect(again)
    w.time.pass_s(400)
    assert [each.service.choice.text for each in (a, again)] == ["Åter", "Åter"]


def test_the_choice_survives_a_restart() -> None:
    w, (a, _) = world()
    a.service.choose(BUSY, "Skriver beslut ✍")
    again = w.desk(0, notes=a.notes)
    assert (again.service.choice.state, again.service.choice.text) == (BUSY, "Skriver beslut ✍")


def test_a_choice_that_the_disk_refuses_is_not_shown() -> None:
    w, _ = world()

    class Refusing(list[str]):
        def __setitem__(self, *_: object) -> None:
            raise DiskFull

    bad = w.desk(0, device=2, notes=Refusing([""]))
    with pytest.raises(DiskFull):
        bad.service.choose(BUSY)
    assert bad.service.choice.state is AVAILABLE


def test_a_person_who_does_not_show_presence_is_gone_and_answers_nobody() -> None:
    w, (a, b) = world()
    a.shown[0] = False
    a.service.on_setting()
    w.time.pass_s(1)
    assert seen(b, a) is None
    assert a.service.of(a.uid) is None
    w.frames.clear()
    a.service.choose(BUSY)
    w.disconnect(b)
    w.time.pass_s(70)
    w.connect(b)
    w.time.pass_s(900)
    a.service.end()
    assert all(uid != a.uid for _, uid, _ in w.frames)
    assert seen(a, b) is AVAILABLE  # what others show is seen all the same
    a.shown[0] = True


def hidden_in_many_rooms() -> tuple[World, Desk]:
    w = World({room_of(n): [uid_of(0), uid_of(n + 1)] for n in range(60)})
    a = w.desk(0)
    w.connect(a)
    w.time.pass_s(10)
    w.frames.clear()
    a.shown[0] = False
    a.service.on_setting()
    return w, a


def test_a_status_that_is_hidden_is_taken_back_in_parts() -> None:
    w, _ = hidden_in_many_rooms()
    w.time.pass_s(0.01)
    assert 0 < len(w.frames) < 20
    w.time.pass_s(5)
    assert sorted(room for room, _, _ in w.frames) == sorted(w.rooms)


def test_a_program_that_ends_takes_back_at_once_what_is_left() -> None:
    w, a = hidden_in_many_rooms()
    w.time.pass_s(0.01)
    a.service.end()
    assert sorted(room for room, _, _ in w.frames) == sorted(w.rooms)


def test_presence_that_is_shown_again_is_sent_at_once() -> None:
    w, (a, b) = world()
    for on in (False, True):
        a.shown[0] = on
        a.service.on_setting()
        w.time.pass_s(1)
    assert seen(b, a) is AVAILABLE


def test_a_room_that_is_new_receives_presence() -> None:
    w, (a, b) = world()
    c = w.desk(7)
    w.connect(c)
    w.time.pass_s(10)
    assert seen(a, c) is None
    w.join(OTHER_ROOM, a, c)
    w.time.pass_s(5)
    assert (seen(a, c), seen(c, a), seen(c, b)) == (AVAILABLE, AVAILABLE, None)


def test_each_colleague_gets_it_once() -> None:
    people = [uid_of(n) for n in range(3)]
    w = World({ROOM: people, OTHER_ROOM: people, room_of(3): people[:2]})
    a, b, c = (w.desk(n) for n in range(3))
    w.connect(a, b, c)
    w.time.pass_s(20)
    w.frames.clear()
    a.service.choose(BUSY)
    w.time.pass_s(5)
    assert [room for room, _, _ in w.frames] == [ROOM, room_of(3)]  # the third is in room 1 alone with everybody


def test_a_flood_and_hostile_messages_change_nothing_else() -> None:
    w, (a, b) = world()
    for n in range(1000):
        dev = DevId(n.to_bytes(16, "big"))
        a.service.receive(ROOM, uid_of(5), dev, encode(Here(state="busy", text="x" * n, is_new=True)), addressed=True)
        a.service.receive(ROOM, uid_of(5), dev, b"\xff" * n, addressed=True)
        a.service.receive(ROOM, uid_of(5), dev, encode(Ask()), addressed=True)
    w.frames.clear()
    w.time.pass_s(60)
    answers = [to for _, uid, to in w.frames if uid == a.uid and to is not None]
    assert len(answers) <= 120  # two a second
    assert seen(a, b) is AVAILABLE
    for n in range(MAX_DEVICES):
        a.service.receive(ROOM, uid_of(5), DevId(n.to_bytes(16, "big")), encode(Gone()), addressed=True)
    assert a.service.of(uid_of(5)) is None  # no more than MAX_DEVICES were kept


def test_nobody_changes_the_presence_of_somebody_else() -> None:
    w, (a, b) = world()
    a.service.receive(ROOM, uid_of(5), b.dev, encode(Gone()), addressed=True)
    a.service.receive(ROOM, uid_of(5), b.dev, encode(Here(state="busy")), addressed=True)
    assert seen(a, b) is AVAILABLE
    w.time.pass_s(1)


def test_a_day_is_kept_apart_from_the_state() -> None:
    _, (a, _) = world()
    a.service.choose(BUSY, "", date(2000, 1, 1))
    assert a.service.choice.back_on is None


def test_attack_ten_thousand_colleagues_are_looked_at_in_parts() -> None:
    w = World({ROOM: [uid_of(0), uid_of(1)]})
    later, gone, turns = w.time.later, list[int](), list[int]()

    def counted(delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        def turn() -> None:
            before = len(gone)
            act()
            turns.append(len(gone) - before)

        return later(delay_s, turn)

    w.time.later = counted  # type: ignore[method-assign]
    a = w.desk(0)
    a.service.changed.connect(lambda uid: gone.append(a.service.of(uid) is None))
    w.connect(a)
    w.time.pass_s(5)
    for n in range(10, 10_010):
        a.service.receive(ROOM, uid_of(n), DevId(bytes(n.to_bytes(16, "big"))), HERE, addressed=False)
    w.time.pass_s(EXPIRES_S + 60)
    assert sum(gone) == 10_000
    assert max(turns) <= 200
