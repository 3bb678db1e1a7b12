# SPDX-License-Identifier: EUPL-1.2
"""The unencrypted part of snapshots, attests and baselines, and which prunes count behind them."""

import os
from dataclasses import dataclass

import pytest

from sync.crypto.encoding import enc
from sync.errors import Reject
from sync.ids import Hash, ObjId
from sync.trust.formats.items import Role
from sync.trust.room import envelope
from sync.trust.room.entry_drafts import new_room
from sync.trust.room.envelope import share_commitment
from sync.trust.room.room_state import Snapshot
from sync.trust.room.snapshots import (
    ATTESTS_KEPT,
    KEPT,
    MAX_PIECES,
    PIECE_BYTES,
    PRUNE_AFTER_MS,
    Attest,
    Piece,
    attested,
    joined,
    pieces,
)
from sync.trust.room.stream import RoomStream
from tests.sync.trust.forging import batch_by, entry_by
from tests.sync.trust.people import NOW, Office, Room, Someone

OBJ = ObjId(b"O" * 16)


@dataclass
class Scene:
    """A room; everybody is a member with history."""

    office: Office
    room: Room
    head: Someone
    clerk: Someone
    lawyer: Someone

    def begin(self) -> None:
        """The object's first op."""
        share = os.urandom(32)
        self.room.push(
            batch_by(self.room, self.head, [{"obj": OBJ, "share_c": share_commitment(self.room.id, OBJ, share)}])
        )

    def snapshot(self, by: Someone, covers: int | None = None, **changes: object) -> Snapshot:
        """Places a snapshot; returns it as the room then remembers it."""
        n = self.room.stream.n if covers is None else covers
        about = {"obj": OBJ, "kind": envelope.SNAPSHOT, "about": n.to_bytes(8, "big"), **changes}
        self.room.push(batch_by(self.room, by, [about]))
        return self.rows[-1]

    def attest(self, by: Someone, row: Snapshot, **changes: object) -> None:
        about = {"obj": OBJ, "kind": envelope.ATTEST, "about": row.ident, **changes}
        self.room.push(batch_by(self.room, by, [about]))

    def not_attested(self, by: Someone, row: Snapshot, **changes: object) -> bool:
        """Whether an attest is refused because it adds nothing that counts."""
        with pytest.raises(Reject) as e:
            self.attest(by, row, **changes)
        return e.value.code == "snapshot"

    def baseline(self, by: Someone, **changes: object) -> None:
        self.room.push(batch_by(self.room, by, [{"obj": OBJ, "kind": envelope.BASELINE, **changes}]))

    @property
    def rows(self) -> tuple[Snapshot, ...]:
        return self.room.stream.state.snapshots.get(OBJ, ())

    def prune(self, row: Snapshot, n: int | None = None, by: Someone | None = None) -> str:
        """The reason why a prune does not count, also by a client's verdict; "" if it counts."""
        by = by or self.head
        draft = self.room.drafter(by).prune(OBJ, row.covers if n is None else n, row.ident)
        client = self.room.client()
        (verdict,) = client.accept(self.room.forced_entry(draft), self.office.book, self.room.rh_at)
        if verdict.void is None:
            self.room.append(by, draft)
            return ""
        with pytest.raises(Reject) as e:
            self.room.append(by, draft)
        assert e.value.code == verdict.void
        return verdict.void

    def month(self) -> None:
        self.room.t += PRUNE_AFTER_MS


@pytest.fixture
def scene() -> Scene:
    office = Office()
    head, clerk, lawyer = (office.hire(n) for n in ("Enhetschef", "Handläggare", "Jurist"))
    room = Room(office, RoomStream(None))
    room.append(head, new_room(head.author, office.book, NOW))
    room.join(head, clerk)
    room.join(head, lawyer)
    made = Scene(office, room, head, clerk, lawyer)
    made.begin()
    return made


def test_a_snapshot_that_two_others_attest_prunes_after_a_month(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    assert [uid for uid, _ in scene.rows[0].attests] == [scene.clerk.uid, scene.lawyer.uid]
    assert attested(scene.room.stream.state, OBJ) == list(scene.rows)
    scene.month()
    assert scene.prune(row) == ""
    assert scene.room.stream.may_be_gone(OBJ, row.covers)
    assert not scene.room.stream.may_be_gone(OBJ, row.n)
    stored = RoomStream.from_bytes(scene.room.client().to_bytes())
    assert stored.state == scene.room.stream.state
    assert stored.to_bytes() == scene.room.stream.to_bytes()


def test_attack_a_prune_needs_two_attestations_by_others(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.month()
    assert scene.prune(row) == "snapshot"
    assert scene.not_attested(scene.head, row)
    scene.attest(scene.clerk, row)
    assert scene.not_attested(scene.clerk, row)
    assert len(scene.rows[0].attests) == 1, "neither the author nor the same person twice"
    assert scene.prune(row) == "snapshot"


def test_attack_an_attestation_by_ones_other_device_is_ones_own(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    assert scene.not_attested(scene.head.add_device(), row)
    assert scene.rows[0].attests == ()
    assert attested(scene.room.stream.state, OBJ) == []


def test_attack_who_cannot_read_the_history_attests_nothing(scene: Scene) -> None:
    guest = scene.office.hire("Registrator")
    scene.room.join(scene.head, guest, history=False)
    row = scene.snapshot(scene.head)
    assert scene.not_attested(guest, row)
    assert scene.rows[0].attests == ()


def test_attack_a_prune_waits_thirty_days(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    assert scene.prune(row) == "early"
    scene.room.t = row.t + PRUNE_AFTER_MS - 1001
    assert scene.prune(row) == "early"
    assert scene.prune(row) == ""


def test_attack_a_prune_reaches_no_further_than_its_snapshot(scene: Scene) -> None:
    row = scene.snapshot(scene.head, covers=3)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    scene.month()
    assert scene.prune(row, n=4) == "snapshot"
    assert scene.prune(row, n=3) == ""


def test_attack_a_snapshot_of_what_its_author_has_not_seen_is_none(scene: Scene) -> None:
    n = scene.room.stream.n
    scene.room.push(
        batch_by(scene.room, scene.head, [{"obj": OBJ, "kind": envelope.SNAPSHOT, "about": (n + 1).to_bytes(8, "big")}])
    )
    assert scene.rows == ()


def test_attack_a_snapshot_or_attestation_of_another_object_is_not_taken(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    assert scene.not_attested(scene.clerk, row, obj=ObjId(scene.room.id))
    assert scene.rows[0].attests == ()
    assert scene.room.stream.state.snapshots.get(scene.room.id) is None


def test_attack_a_reader_makes_no_snapshot(scene: Scene) -> None:
    guest = scene.office.hire("Registrator")
    scene.room.join(scene.head, guest, Role.READER)
    with pytest.raises(Reject) as e:
        scene.snapshot(guest)
    assert e.value.code == "forbidden"
    row = scene.snapshot(scene.head)
    scene.attest(guest, row)
    assert len(scene.rows[0].attests) == 1, "but may attest one"


def test_attack_whoever_reads_with_k_alone_has_a_baseline_before_anything_is_pruned(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    scene.baseline(scene.head)
    guest = scene.office.hire("Registrator")
    scene.room.join(scene.head, guest, history=False)
    scene.month()
    assert scene.prune(row) == "baseline", "that one is under a key which the guest has not"
    scene.baseline(scene.head)
    assert scene.prune(row) == ""


def test_attack_nothing_is_pruned_beyond_the_newest_baseline_since_readers_begin_with_that(scene: Scene) -> None:
    scene.room.join(scene.head, scene.office.hire("Registrator"), history=False)
    scene.room.append(scene.head, scene.room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    before = scene.room.stream.n, scene.room.stream.rh
    scene.room.push(batch_by(scene.room, scene.head, [{"obj": OBJ}]))
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row, seen=before)
    scene.attest(scene.lawyer, row)
    scene.baseline(scene.head)
    scene.baseline(scene.clerk, seen=before)
    scene.month()
    assert scene.prune(row) == "baseline"
    scene.baseline(scene.clerk)
    assert scene.prune(row) == ""


def test_attack_only_an_administrator_prunes(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    scene.month()
    assert scene.prune(row, by=scene.clerk) == "forbidden"


def test_attack_no_policy_lets_a_prune_pass_behind_nothing(scene: Scene) -> None:
    """Formerly some rooms accepted any prune; now no policy allows that."""
    room = scene.room
    policies: list[dict[str, object]] = [
        {},
        {"format": {}},
        {"format": {"types": ["prune"]}},
    ]
    for policy in policies:
        room.append(scene.head, entry_by(room, scene.head, "policy", [policy, None]))
        draft = room.drafter(scene.head).prune(OBJ, room.stream.n, Hash(bytes(32)))
        with pytest.raises(Reject) as e:
            room.append(scene.head, draft)
        assert e.value.code == "snapshot"
        assert not room.stream.may_be_gone(OBJ, 3)


def test_what_is_pruned_is_forgotten_and_what_follows_stays(scene: Scene) -> None:
    old, row = scene.snapshot(scene.head), scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    scene.attest(scene.lawyer, row)
    scene.month()
    assert scene.prune(row) == ""
    assert [r.ident for r in scene.rows] == [row.ident] != [old.ident]


def test_attack_many_snapshots_push_out_no_attested_one(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    scene.attest(scene.clerk, row)
    n = scene.room.stream.n.to_bytes(8, "big")
    for _ in range(2):
        many = [{"obj": OBJ, "kind": envelope.SNAPSHOT, "about": n}] * KEPT
        scene.room.push(batch_by(scene.room, scene.lawyer, many))
    assert len(scene.rows) == KEPT
    assert scene.rows[0].ident == row.ident


def test_attack_many_snapshots_of_one_push_out_none_of_another(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    for _ in range(3 * KEPT):
        scene.snapshot(scene.lawyer)
    assert len(scene.rows) == KEPT
    assert scene.rows[0].ident == row.ident, "though nobody has attested it yet"
    assert scene.room.stream.state.used[scene.lawyer.uid].snapshots == KEPT - 1


def test_of_many_attested_snapshots_those_are_kept_that_are_far_apart(scene: Scene) -> None:
    made = []
    for day in (0, 1, 2, 3, *range(10, 10 + KEPT)):
        scene.room.t = NOW + 86_400_000 * day + 1000
        row = scene.snapshot(scene.head)
        made.append(row.ident)
        scene.attest(scene.clerk, row)
    kept = [row.ident for row in scene.rows]
    assert len(kept) == KEPT
    assert kept[0] == made[0], "the oldest, which is the first that a prune may name"
    assert kept[-1] == made[-1]
    assert made[3] in kept, "the last before a long time without any"
    assert scene.room.client().to_bytes() == scene.room.stream.to_bytes()


def test_attack_of_many_attestations_a_few_are_kept(scene: Scene) -> None:
    row = scene.snapshot(scene.head)
    for i in range(ATTESTS_KEPT + 2):
        who = scene.office.hire(f"Handläggare {i}")
        scene.room.join(scene.head, who, Role.READER)
        if i < ATTESTS_KEPT:
            scene.attest(who, row)
        else:
            assert scene.not_attested(who, row)
    assert len(scene.rows[0].attests) == ATTESTS_KEPT


def test_content_that_was_not_asked_for_is_not_missed(scene: Scene) -> None:
    scene.snapshot(scene.head)
    client = RoomStream(scene.room.id)
    bare = [i if i.ct is None else type(i)(i.n, i.t, i.kind, i.body, i.sig, None) for i in scene.room.items]
    client.accept(bare, scene.office.book, scene.room.rh_at, headers_only=True)
    assert client.to_bytes() == scene.room.stream.to_bytes()
    assert client.withheld() == []


def test_pieces_make_the_whole_again() -> None:
    whole = os.urandom(2 * PIECE_BYTES + 5)
    made = [Piece.decode(p.encode()) for p in pieces(b"t" * 16, b"h" * 32, whole)]
    assert len(made) == 3
    assert joined(made) == whole
    assert joined(made[1:]) is None
    assert joined([made[0], made[2], made[1]]) is None
    other = pieces(b"u" * 16, b"h" * 32, whole)
    assert joined([made[0], other[1], made[2]]) is None
    assert joined(pieces(b"t" * 16, b"h" * 32, b"")) == b""
    with pytest.raises(Reject):
        pieces(b"t" * 16, b"h" * 32, bytes(MAX_PIECES * PIECE_BYTES + 1))


@pytest.mark.parametrize("change", [{0: 2}, {1: b"t"}, {2: 1}, {3: 0}, {3: MAX_PIECES + 1}, {4: b""}, {5: 1}])
def test_attack_a_piece_has_exactly_the_fields_it_must(change: dict[int, object]) -> None:
    value = [change.get(i, v) for i, v in enumerate([1, b"t" * 16, 0, 1, b"h" * 32, b"data"])]
    with pytest.raises(Reject, match=r"malformed|format"):
        Piece.decode(enc(value))


def test_an_attest_has_exactly_the_fields_it_must() -> None:
    attest = Attest(obj=OBJ, n=7, snapshot=Hash(b"s" * 32), digest=b"h" * 32)
    assert Attest.decode(attest.encode()) == attest
    with pytest.raises(Reject):
        Attest.decode(attest.encode() + b"\0")
