# SPDX-License-Identifier: EUPL-1.2
"""A draft is made in a thread, while the event loop applies entries to the user logs that it reads."""

import pytest

from sync.errors import Reject
from sync.ids import Hash, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import open_seal
from sync.trust.person.author import puk_key
from sync.trust.person.user_log import UserLog
from sync.trust.room.entry_drafts import Drafter
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import Someone


def grows_when_read(monkeypatch: pytest.MonkeyPatch, person: Someone) -> None:
    """Another thread applies an entry to the person's log just after the first time that its newest entry is read."""
    grown: list[UserLog] = []

    def grow(log: UserLog) -> None:
        if log is person.log and not grown:
            grown.append(log)
            person.rotate_puk()

    def seq(log: UserLog) -> int:
        read = len(log.heads) - 1
        grow(log)
        return read

    def at(log: UserLog) -> tuple[int, Hash]:
        read = len(log.heads) - 1, log.heads[-1]
        grow(log)
        return read

    monkeypatch.setattr(UserLog, "seq", property(seq))
    monkeypatch.setattr(UserLog, "at", property(at))


def test_an_addition_names_one_head_of_a_log_that_grows_meanwhile(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, guest, first_seed = scene.room, scene.guest, scene.guest.puk_seed
    drafter = room.drafter(scene.head)
    grows_when_read(monkeypatch, guest)
    draft = drafter.add(guest.uid, Role.WRITER, history=True)
    assert len(guest.log.puks) == 2
    room.append(scene.head, draft)
    counts = guest.log.puk_at(room.stream.pins[guest.uid][0])
    assert counts is not None
    key = puk_key((first_seed, guest.puk_seed)[counts.gen - 1])
    assert open_seal(room.id, room.stream.epochs[1], guest.uid, counts.gen, key, draft.seals[0]), (
        "sealed as of that head"
    )


def test_nobody_is_added_whose_log_is_not_here(scene: Scene) -> None:
    with pytest.raises(Reject) as e:
        scene.room.drafter(scene.head).add(Uid(bytes(16)), Role.WRITER, history=True)
    assert e.value.code == "not-ready"


def test_a_pin_names_one_head_of_a_log_that_grows_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.clerk.rotate_puk()
    drafter = scene.room.drafter(scene.head)
    grows_when_read(monkeypatch, scene.clerk)
    scene.room.append(scene.head, drafter.pin([scene.clerk.uid]))
    seq, head = scene.room.stream.pins[scene.clerk.uid]
    assert scene.clerk.log.head_at(seq) == head


def test_an_epoch_pins_the_authors_own_log_no_further_than_its_entry_states(scene: Scene) -> None:
    room, head = scene.room, scene.head
    drafter = Drafter(room.stream, head.author, scene.office.book, room.ring(head), room.t)
    stated = head.log.at
    head.rotate_puk()  # the loop applies an entry after the thread has begun
    room.append(head, drafter.rotate())
    assert room.stream.epoch == 2
    assert room.stream.pins[head.uid] == stated
