# SPDX-License-Identifier: EUPL-1.2
"""Both ends choose the same room: the smallest that both have accepted."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import RoomId, Uid
from app.presence.audience import MOST, CommonRoom, audience
from tests.app.presence.simulated import room_of, uid_of

ME, OTHER, THIRD = (uid_of(n) for n in range(3))


def common(n: int, members: int, *accepted: Uid) -> CommonRoom:
    people = frozenset(uid_of(i) for i in range(members))
    return CommonRoom(room=room_of(n), members=people, accepted=frozenset(accepted) or people)


def test_the_smallest_room_is_chosen_and_of_equal_ones_the_lowest_id() -> None:
    found = audience(ME, [common(3, 5), common(2, 3), common(1, 3)])
    assert (found.shared[OTHER], found.rooms) == (room_of(1), (room_of(1), room_of(3)))  # the fourth is only in room 3


def test_a_room_that_the_other_has_not_accepted_does_not_count() -> None:
    found = audience(ME, [common(1, 2, ME), common(2, 3)])
    assert found.shared[OTHER] == room_of(2)


def test_presence_goes_also_to_the_persons_own_room_for_their_other_devices() -> None:
    own = CommonRoom(room=room_of(9), members=frozenset({ME}), accepted=frozenset({ME}))
    assert audience(ME, [common(1, 2), own]).rooms == (room_of(1), room_of(9))


def test_a_room_of_over_a_hundred_is_not_sent_to() -> None:
    found = audience(ME, [common(1, MOST + 1), common(2, 2)])
    assert found.rooms == (room_of(2),)
    assert found.has_to_ask(THIRD)
    assert not found.has_to_ask(OTHER)
    assert found.large[room_of(1)].members == MOST + 1
    assert audience(ME, [common(1, MOST)]).large == {}


def test_a_person_in_two_hundred_rooms_with_the_same_people_sends_to_few() -> None:
    rooms = [common(n, 2 + n % 20) for n in range(200)]
    assert len(audience(ME, rooms).rooms) <= 20


people = st.sampled_from([uid_of(n) for n in range(7)])
rooms = st.lists(
    st.tuples(st.frozensets(people, min_size=1), st.frozensets(people)), max_size=12
)  # fmt: skip


@given(rooms)
def test_both_ends_choose_the_same_room(drawn: list[tuple[frozenset[Uid], frozenset[Uid]]]) -> None:
    whole = [CommonRoom(room=room_of(n), members=m, accepted=m & a) for n, (m, a) in enumerate(drawn)]

    def of(uid: Uid) -> dict[Uid, RoomId]:
        return dict(audience(uid, [each for each in whole if uid in each.accepted]).shared)

    chosen = {uid: of(uid) for uid in (uid_of(n) for n in range(7))}
    for one, theirs in chosen.items():
        for other, room in theirs.items():
            assert chosen[other][one] == room


@given(rooms)
def test_each_colleague_is_reached_in_one_of_the_rooms(
    drawn: list[tuple[frozenset[Uid], frozenset[Uid]]],
) -> None:
    mine = [CommonRoom(room=room_of(n), members=m | {ME}, accepted=m & a) for n, (m, a) in enumerate(drawn)]
    found = audience(ME, mine)
    accepted = {uid for each in mine for uid in each.accepted}
    assert accepted <= set(found.shared)
    assert set(found.shared.values()) == set(found.rooms)
