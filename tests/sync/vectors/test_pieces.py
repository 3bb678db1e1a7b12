# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: padding, trees, ephemeral messages, files and snapshots in
pieces."""

from typing import Any

import pytest

from sync.ids import ChangeId, RoomId
from sync.trust.keys import merkle
from sync.trust.room import blob_manifest, ephemeral, snapshots
from sync.trust.room.envelope import pack, pad, padded_size, root_share, share_commitment, unpack, unpad
from tests.sync.vectors.stored import load, raw


def test_padding_and_packing_are_the_same(pieces: Any) -> None:
    assert [[n, padded_size(n)] for n, _ in pieces["padding"]] == pieces["padding"]
    assert unpad(raw(pieces["padded"])).decode() == "Åtgärd 🙂"
    assert pad("Åtgärd 🙂".encode()) == raw(pieces["padded"])
    changes = [(ChangeId(raw(c)), raw(d)) for c, d in pieces["pack"]["changes"]]
    assert pack(changes) == raw(pieces["pack"]["hex"])
    assert unpack(raw(pieces["pack"]["hex"])) == changes


def test_trees_and_shares_are_the_same(pieces: Any) -> None:
    for case in pieces["merkle"]:
        assert merkle.root([raw(x) for x in case["leaves"]]).hex() == case["root"]
    own = raw(pieces["room"])
    assert root_share(own).hex() == pieces["root_share"]
    assert share_commitment(own, b"O" * 16, raw(pieces["share"]["share"])).hex() == pieces["share"]["share_c"]


@pytest.mark.parametrize("name", ["ephemeral", "ephemeral_to"])
def test_an_ephemeral_message_opens(pieces: Any, name: str) -> None:
    v = pieces[name]
    opened = ephemeral.EphemeralReceiver(RoomId(raw(pieces["room"])), raw(v["to"]) or bytes(16)).decrypt(
        ephemeral.EphemeralMessage(raw(v["body"]), raw(v["sig"]), raw(v["ct"])),
        lambda uid, dev: raw(v["sign_pk"]),
        lambda e: raw(v["k"]),
        v["now"],
    )
    assert opened is not None
    header, payload = opened
    assert payload.decode() == v["payload"]
    assert (header.uid.hex(), header.dev.hex(), header.epoch) == (v["uid"], v["dev"], v["epoch"])
    assert (header.kind, header.to.hex()) == (v["kind"], v["to"])


def test_a_file_opens_from_its_manifest(pieces: Any) -> None:
    v, own = pieces["blob"], RoomId(raw(pieces["room"]))
    manifest = blob_manifest.Manifest.decode(raw(v["manifest"]))
    assert manifest.encode() == raw(v["manifest"])
    opened = [blob_manifest.decrypt_part(own, p, raw(ct)) for p, ct in zip(manifest.parts, v["parts"], strict=True)]
    assert [o.hex() for o in opened] == v["plain"]
    assert sum(map(len, opened)) == manifest.size


@pytest.mark.parametrize("kind", ["document", "board"])
def test_pieces_and_attest_of_a_document_and_a_board_are_read_and_written_the_same(kind: str) -> None:
    vector = load("attested")
    case = vector[kind]
    pieces = [snapshots.Piece.decode(raw(piece)) for piece in case["pieces"]]
    assert [p.encode().hex() for p in pieces] == case["pieces"]
    assert {p.digest.hex() for p in pieces} == {case["hash"]}
    assert snapshots.joined(pieces) is not None
    assert snapshots.joined(pieces[::-1]) is None
    attest = snapshots.Attest.decode(raw(case["attest"]))
    assert attest.encode().hex() == case["attest"]
    assert [attest.obj.hex(), attest.n, attest.snapshot.hex()] == [vector["obj"], vector["n"], vector["snapshot"]]
