# SPDX-License-Identifier: EUPL-1.2
"""Activation codes, certificates, padding, blobs, receipts: small formats, each with what it refuses."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crypto.encoding import dec, enc
from sync.crypto.signatures import SigningKey, verify
from sync.errors import BugError, Reject
from sync.ids import ChangeId, RoomId
from sync.protocol.messages import Receipt, Signed
from sync.protocol.version import PART_BYTES
from sync.trust.person.agency import (
    Agency,
    InviteCert,
    SignInCode,
    decode_record,
    encode_record,
    hello_proof,
    record_hash,
    server_cert_until_ms,
    verify_server_cert,
)
from sync.trust.room import signed_receipts
from sync.trust.room.blob_manifest import Manifest, decrypt_part, encrypt_part, most_sealed
from sync.trust.room.envelope import (
    Header,
    ObjectKeys,
    decrypt_op,
    pack,
    pad,
    padded_size,
    read_body,
    root_share,
    unpack,
    unpad,
)
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW

ROOM = RoomId(b"rum" + bytes(13))


def rejected(act: Callable[[], object]) -> str:
    """The code with which the call is refused."""
    with pytest.raises(Reject) as refused:
        act()
    return refused.value.code


# -- activation codes and certificates -----------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(5))
def test_attack_a_hello_proof_is_good_for_one_connection_agency_and_address(at: int) -> None:
    key = SigningKey(os.urandom(32))
    one = (bytes(32), b"c" * 32, b"a" * 32, "kansli.example.se:443", NOW)
    other = (b"\1" * 32, b"d" * 32, b"b" * 32, "annan.example.se:443", NOW + 1)
    proof = key.sign("hello", hello_proof(*one))
    verify(key.public, "hello", hello_proof(*one), proof)
    mixed = [*one[:at], other[at], *one[at + 1 :]]
    assert rejected(lambda: verify(key.public, "hello", mixed, proof)) == "signature"


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_code_comes_back_however_it_is_typed(seed: bytes, agency: bytes) -> None:
    code = SignInCode(seed, agency)
    text = code.format()
    assert SignInCode.parse(text) == code
    assert SignInCode.parse(text.lower().replace("-", " ")) == code
    assert SignInCode.parse(text.replace("0", "O").replace("1", "I")) == code
    assert len(text.replace("-", "")) == 56


def test_attack_one_wrong_character_is_found() -> None:
    """Every single mistake in one code; with 16 bits of checksum, one in 65,536 of all codes would let one through."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    letters = SignInCode(bytes(range(16)), bytes(range(16, 32))).format().replace("-", "")
    for at in range(len(letters)):
        for other in alphabet.replace(letters[at], ""):
            with pytest.raises(Reject) as e:
                SignInCode.parse(letters[:at] + other + letters[at + 1 :])
            assert e.value.code == "code"


@pytest.mark.parametrize("text", ["", "ÅÄÖ", "0" * 55, "0" * 57, "U" * 56, "Z" * 56])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Reject):
        SignInCode.parse(text)


def test_a_code_and_its_key_do_not_show() -> None:
    code = SignInCode.fresh(Agency(os.urandom(32)).pk)
    assert code.seed.hex() not in repr(code)
    assert repr(code.seed)[2:-1] not in repr(code)


def test_a_server_certificate_is_the_agencys_and_ends() -> None:
    agency, server = Agency(os.urandom(32)), SigningKey(os.urandom(32))
    cert = agency.certify_server(server.public, NOW)
    assert verify_server_cert(agency.pk, *cert, NOW) == server.public
    assert server_cert_until_ms(cert[0]) == NOW
    with pytest.raises(Reject) as e:
        verify_server_cert(agency.pk, *cert, NOW + 1)
    assert e.value.code == "expired"
    with pytest.raises(Reject) as e:
        verify_server_cert(Agency(os.urandom(32)).pk, *cert, NOW)
    assert e.value.code == "signature"


def test_attack_one_certificate_is_not_taken_for_the_other() -> None:
    agency, key = Agency(os.urandom(32)), SigningKey(os.urandom(32))
    invite = agency.certify_invite(key.public, record_hash(b"", b""), NOW)
    with pytest.raises(Reject, match="signature"):
        verify_server_cert(agency.pk, *invite, NOW)
    with pytest.raises(Reject, match="signature"):
        InviteCert.check(agency.pk, *agency.certify_server(key.public, NOW))


def test_a_record_is_texts_with_a_name_and_bound_by_salt() -> None:
    record = encode_record({"name": "Handläggare 🙂", "title": "", "unit": "Tillsyn"})
    assert decode_record(record)["name"] == "Handläggare 🙂"
    assert record_hash(b"a", record) != record_hash(b"b", record)
    for bad in (enc({"title": "x"}), enc([]), enc({"name": 1}), enc({"name": "x" * 600}), b""):
        with pytest.raises(Reject):
            decode_record(bad)


# -- padding and payloads ---------------------------------------------------------------------------------------


@given(st.binary(max_size=6000))
def test_padding_comes_off(payload: bytes) -> None:
    assert unpad(pad(payload)) == payload


@given(st.integers(0, 5 * 1024 * 1024))
def test_padding_costs_at_most_an_eighth_and_takes_few_sizes(size: int) -> None:
    padded = padded_size(size)
    assert padded >= size
    assert padded_size(padded) == padded
    if size > 4096:
        assert padded <= size * 1.125
    else:
        assert padded in (256, 512, 1024, 2048, 4096)


def test_sizes_never_fall_as_payloads_grow() -> None:
    sizes = [padded_size(n) for n in range(20_000)]
    assert sizes == sorted(sizes)


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(1, 255))
def test_attack_fill_that_is_not_zero_is_refused(payload: bytes, at: int, bits: int) -> None:
    padded = bytearray(pad(payload))
    at = 4 + len(payload) + at % (len(padded) - 4 - len(payload) or 1)
    if at == len(padded):
        return
    padded[at] ^= bits
    with pytest.raises(Reject) as e:
        unpad(bytes(padded))
    assert e.value.code == "padding"


@pytest.mark.parametrize("padded", [b"", b"\0", bytes(4), bytes(255), bytes(257), bytes(512), b"\xff" * 256])
def test_attack_what_pad_never_makes_is_refused(padded: bytes) -> None:
    with pytest.raises(Reject, match="padding"):
        unpad(padded)


def test_several_changes_travel_in_one_payload() -> None:
    changes = [(ChangeId(os.urandom(16)), "åäö 🙂".encode()), (ChangeId(os.urandom(16)), b"")]
    assert unpack(pack(changes)) == changes
    for bad in (enc([[b"short", b""]]), enc([[bytes(16)]]), enc({}), enc([[bytes(16), "text"]])):
        with pytest.raises(Reject):
            unpack(bad)


def test_attack_content_is_bound_to_its_header(scene: Scene) -> None:
    room = scene.room
    ops = room.seal(scene.clerk, b"ett", b"tv\xc3\xa5")
    k = room.ring(scene.clerk).k(1)
    assert k is not None
    key = ObjectKeys(room.id).key(k, 1, room.id, root_share(room.id))
    one, two = (read_body(b)[0] for b in ops.bodies)
    assert unpack(decrypt_op(key, one, ops.cts[0]))[0][1] == b"ett"
    with pytest.raises(Reject) as e:
        decrypt_op(key, two, ops.cts[0])
    assert e.value.code == "decrypt"


def test_attack_a_header_has_exactly_the_fields_it_must(scene: Scene) -> None:
    (body,) = scene.room.seal(scene.clerk, b"x").bodies
    hdr = read_body(body)[0]
    parts = dec(hdr, limit=1024)
    assert isinstance(parts, list)
    assert Header.decode(hdr).encode() == hdr
    for at, wrong in enumerate([3, "a", b"x", b"x", b"x", "a", b"", "a", [1], [1, b""], b"x", b"x", "a", "a", []]):
        with pytest.raises(Reject, match=r"malformed|format"):
            Header.decode(enc([*parts[:at], wrong, *parts[at + 1 :]]))
    for bad in (parts[:-1], [*parts, 1]):
        with pytest.raises(Reject, match="malformed"):
            Header.decode(enc(bad))
    with pytest.raises(Reject) as e:
        Header.decode(enc([*parts[:-1], {1: bytes(2000)}]))
    assert e.value.code == "oversize"


# -- blobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 100_000])
def test_a_part_opens_and_hides_its_size(size: int) -> None:
    plain = os.urandom(size)
    part, sealed = encrypt_part(ROOM, plain, last=True)
    assert decrypt_part(ROOM, part, sealed) == plain
    assert len(sealed) >= 256


def test_a_full_part_is_not_padded() -> None:
    plain = os.urandom(PART_BYTES)
    part, sealed = encrypt_part(ROOM, plain, last=False)
    assert decrypt_part(ROOM, part, sealed) == plain
    assert len(sealed) - PART_BYTES < 8 * 1024


def test_a_part_above_4_mib_is_not_made() -> None:
    for last in (True, False):
        with pytest.raises(BugError):
            encrypt_part(ROOM, bytes(PART_BYTES + 1), last=last)


def test_attack_a_part_of_another_place_or_room_is_refused() -> None:
    one, first = encrypt_part(ROOM, b"ett", last=True)
    two, second = encrypt_part(ROOM, b"tv\xc3\xa5", last=True)
    for part, sealed, room, code in (
        (one, second, ROOM, "blob-hash"),
        (replace(one, part=two.part), first, ROOM, "decrypt"),
        (replace(one, key=two.key), first, ROOM, "decrypt"),
        (one, first, RoomId(bytes(16)), "decrypt"),
        (replace(one, length=2), first, ROOM, "padding"),
        (replace(one, length=300), first, ROOM, "padding"),
    ):
        with pytest.raises(Reject) as e:
            decrypt_part(room, part, sealed)
        assert e.value.code == code


def test_attack_a_manifest_adds_up() -> None:
    part, _ = encrypt_part(ROOM, b"ett", last=True)
    whole = Manifest(3, (part,))
    assert Manifest.decode(whole.encode()) == whole
    for bad in (
        Manifest(4, (part,)),
        Manifest(6, (part, part)),
        Manifest(PART_BYTES + 1, (replace(part, length=PART_BYTES + 1),)),
    ):
        with pytest.raises(Reject, match="malformed"):
            Manifest.decode(bad.encode())
    with pytest.raises(Reject) as e:
        Manifest.decode(enc([2, 0, []]))
    assert e.value.code == "format"
    assert part.key.hex() not in repr(whole)


# -- receipts ---------------------------------------------------------------------------------------------------


def test_attack_a_receipt_holds_for_one_position_of_one_room_only() -> None:
    server = SigningKey(os.urandom(32))
    sig = signed_receipts.sign(server, ROOM, 7, bytes(32), NOW)
    true = Receipt(ROOM, 7, bytes(32), NOW, sig)
    signed_receipts.check(server.public, true)
    for other in (
        {"room": bytes(16)}, {"n": 8}, {"rh": b"\1" * 32}, {"t": NOW + 1}, {"sig": sig[:63]},
        {"n": -7}, {"n": 2**64}, {"t": -1}, {"room": ROOM[:15]}, {"rh": b""},
    ):  # fmt: skip
        false = msgspec.structs.replace(true, **other)
        assert rejected(partial(signed_receipts.check, server.public, false)) == "signature"
    stranger = SigningKey(os.urandom(32)).public
    assert rejected(partial(signed_receipts.check, stranger, true)) == "signature"


def test_a_proof_convinces_whoever_has_the_agencys_key_even_after_the_certificate_has_ended() -> None:
    agency, server = Agency(os.urandom(32)), SigningKey(os.urandom(32))
    cert = Signed(*agency.certify_server(server.public, 1))
    receipt = Receipt(ROOM, 7, b"r" * 32, NOW, signed_receipts.sign(server, ROOM, 7, b"r" * 32, NOW))
    proof = signed_receipts.Proof.decode(signed_receipts.Proof(receipt, cert).encode())
    proof.check(agency.pk)
    assert proof.receipt == receipt
    other = Agency(os.urandom(32))
    assert rejected(partial(proof.check, other.pk)) == "signature"
    false = signed_receipts.Proof(msgspec.structs.replace(receipt, n=8), cert)
    assert rejected(partial(false.check, agency.pk)) == "signature"
    raw = proof.encode()
    parts = dec(raw, limit=1024)
    assert isinstance(parts, list)
    for spoilt in (raw[:-1], b"", raw + b"\0", enc([2, *parts[1:]]), enc(parts[:7])):
        assert rejected(partial(signed_receipts.Proof.decode, spoilt)) in ("encoding", "malformed", "format")


def test_two_receipts_contradict_each_other_only_at_one_position_of_one_room() -> None:
    one = Receipt(ROOM, 7, b"r" * 32, NOW, b"s" * 64)
    change = msgspec.structs.replace
    assert signed_receipts.contradict(one, change(one, rh=b"x" * 32))
    assert not signed_receipts.contradict(one, change(one, sig=b"t" * 64))
    assert not signed_receipts.contradict(one, change(one, n=8, rh=b"x" * 32))
    assert not signed_receipts.contradict(one, change(one, room=b"x" * 16, rh=b"x" * 32))


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("length", [0, 1, 255, 4096, 65_537, PART_BYTES - 1, PART_BYTES])
def test_no_part_is_larger_than_its_length_allows(length: int, last: bool) -> None:
    _, sealed = encrypt_part(ROOM, bytes(length), last=last)
    assert len(sealed) <= most_sealed(length) <= 2 * length + 16 * 1024
