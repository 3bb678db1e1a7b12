# SPDX-License-Identifier: EUPL-1.2
"""A second device is admitted by code or by digits, with any server in the middle."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crypto import seal
from sync.crypto.encoding import dec, enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Hash
from sync.trust.formats import fields
from sync.trust.person import user_drafts
from sync.trust.person.agency import encode_record
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import Cover, NewDevice, OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering
from sync.trust.person.user_drafts import Hand
from tests.sync.trust.people import NOW, Office, Someone

NAME, SYSTEM = "Bärbar dator på enheten", "Debian 13"
RECORD = encode_record({"name": "Registrator", "title": "", "unit": "Registraturen"})


@dataclass
class Meeting:
    """An old and a new device without a server between them."""

    office: Office
    person: Someone
    code: PairingCode | None

    def __post_init__(self) -> None:
        self.secrets = DeviceSecrets.fresh()
        self.old = Admitting(self.agency, KemKey(self.person.secrets.kem), self.code)
        self.new = Entering(self.agency, self.secrets, NAME, SYSTEM, self.code)

    @property
    def agency(self) -> Hash:
        return Hash(self.office.agency.fingerprint)

    @property
    def described(self) -> OldDevice:
        log, author = self.person.log, self.person.author
        return OldDevice(
            uid=log.uid, genesis=log.genesis, seq=log.seq, head=log.head, dev=author.dev,
            kem_pk=log.devices[author.dev].kem_pk, record=RECORD,
        )  # fmt: skip

    def third(self) -> bytes:
        """Exchanges messages 1 to 3; returns message 3."""
        self.old.receive_first(self.new.first())
        return self.new.answer(self.old.describe(self.described))

    def admitted(self) -> DevId:
        """Exchanges all four messages and appends the entry to the log."""
        self.old.check(self.third())
        return self.enter()

    def enter(self) -> DevId:
        assert self.old.new is not None
        person = self.person
        hand = Hand(person.author.dev, person.author.signing, {len(person.log.puks): person.puk_seed})
        entry = user_drafts.admit(person.log, hand, self.old.new.sign_pk, self.old.new.kem_pk, self.old.proof, NOW)
        person.log.apply(*entry)
        dev = list(person.log.devices)[-1]
        assert self.new.done(self.old.done(person.log.seq, dev)) == (person.log.seq, dev)
        return dev


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture(params=["code", "digits"])
def meeting(office: Office, request: pytest.FixtureRequest) -> Meeting:
    return Meeting(office, office.hire("Registrator"), PairingCode.fresh() if request.param == "code" else None)


@pytest.fixture
def by_code(office: Office) -> Meeting:
    return Meeting(office, office.hire("Registrator"), PairingCode.fresh())


@pytest.fixture
def by_digits(office: Office) -> Meeting:
    return Meeting(office, office.hire("Registrator"), None)


def code_of(e: pytest.ExceptionInfo[Reject]) -> str:
    return e.value.code


def test_a_new_device_comes_in_and_opens_every_key_of_the_person(meeting: Meeting) -> None:
    meeting.person.rotate_puk()
    meeting.person.rotate_puk()
    dev = meeting.admitted()
    seeds = user_drafts.open_generations(meeting.person.log, dev, KemKey(meeting.secrets.kem), {})
    assert sorted(seeds) == [1, 2, 3]
    assert seeds[3] == meeting.person.puk_seed


def test_attack_a_new_device_to_whose_key_nothing_can_be_sealed_is_refused_before_the_person_is_asked(
    by_code: Meeting,
) -> None:
    signing, kem = SigningKey(by_code.secrets.sign), KemKey(by_code.secrets.kem)
    for tail in (bytes(32), (1).to_bytes(32, "little")):
        sealing_pk = kem.public[:1184] + tail
        forged = NewDevice(sign_pk=signing.public, kem_pk=sealing_pk, name=NAME, system=SYSTEM)
        old = Admitting(by_code.agency, KemKey(by_code.person.secrets.kem), by_code.code)
        first = Cover(by_code.agency, by_code.code).put("new", [forged.fields()])
        with pytest.raises(Reject) as e:
            old.receive_first(first)
        assert code_of(e) == "bad-key"


def test_both_screens_name_person_and_device(meeting: Meeting) -> None:
    meeting.admitted()
    assert meeting.old.new is not None
    assert (meeting.old.new.name, meeting.old.new.system) == (NAME, SYSTEM)
    assert meeting.new.old is not None
    assert meeting.new.old.record == RECORD
    assert meeting.new.digits == meeting.old.digits
    assert len(meeting.new.digits) == (0 if meeting.code else 6)


@given(st.binary(min_size=15, max_size=15))
def test_a_code_is_26_letters_and_reads_as_it_was_written(secret: bytes) -> None:
    code = PairingCode(secret)
    shown = code.format()
    assert len(shown.replace("-", "")) == 26
    assert PairingCode.parse(shown.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == code


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s + "A", lambda s: "U" + s[1:], lambda s: ""])
def test_a_mistyped_code_is_refused_at_once(spoil: Callable[[str], str]) -> None:
    with pytest.raises(Reject) as e:
        PairingCode.parse(spoil(PairingCode.fresh().format()))
    assert code_of(e) == "code"


def test_most_wrong_letters_are_refused_at_once() -> None:
    shown, described = PairingCode(bytes(15)).format().replace("-", ""), 0
    for at in range(26):
        with pytest.raises(Reject) as e:
            PairingCode.parse(shown[:at] + ("1" if shown[at] == "0" else "0") + shown[at + 1 :])
        described += code_of(e) == "code"
    assert described == 26


def test_the_box_reveals_nothing_of_the_secret_and_is_the_same_for_both() -> None:
    code = PairingCode.fresh()
    assert PairingCode.parse(code.format()).box == code.box
    assert len(code.box) == 16
    assert code.box not in code.secret
    assert code.secret not in code.box
    assert code.secret.hex() not in repr(code)


def test_attack_another_code_opens_nothing(by_code: Meeting) -> None:
    thief = Entering(by_code.agency, DeviceSecrets.fresh(), NAME, SYSTEM, PairingCode.fresh())
    with pytest.raises(Reject) as e:
        by_code.old.receive_first(thief.first())
    assert code_of(e) == "enrol"


def test_attack_a_server_of_another_agency_is_found_out(by_code: Meeting) -> None:
    misled = Entering(Hash(os.urandom(32)), by_code.secrets, NAME, SYSTEM, by_code.code)
    with pytest.raises(Reject) as e:
        by_code.old.receive_first(misled.first())
    assert code_of(e) == "enrol"


def test_attack_every_changed_byte_is_found_out(by_code: Meeting) -> None:
    first = by_code.new.first()
    for at in range(0, len(first), 37):
        with pytest.raises(Reject) as e:
            by_code.old.receive_first(first[:at] + bytes([first[at] ^ 1]) + first[at + 1 :])
        assert code_of(e) == "enrol"
    by_code.old.receive_first(first)
    second = by_code.old.describe(by_code.described)
    for at in range(0, len(second), 37):
        with pytest.raises(Reject) as e:
            by_code.new.answer(second[:at] + bytes([second[at] ^ 1]) + second[at + 1 :])
        assert code_of(e) == "enrol"


def test_attack_a_message_of_one_side_is_none_of_the_other(by_code: Meeting) -> None:
    """A message that is sent back to its author, or in another place, does not open."""
    first = by_code.new.first()
    with pytest.raises(Reject) as e:
        by_code.new.answer(first)
    assert code_of(e) == "enrol"
    by_code.old.receive_first(first)
    by_code.old.describe(by_code.described)
    with pytest.raises(Reject) as e:
        by_code.old.check(first)
    assert code_of(e) == "enrol"


def test_attack_a_stolen_code_adds_nobody_whose_key_it_does_not_have(by_code: Meeting) -> None:
    """▲ The keys of another device are of no use, since the sender has to prove them."""
    victim = by_code.new
    thief = Entering(by_code.agency, DeviceSecrets.fresh(), NAME, SYSTEM, by_code.code)
    thief._me = replace(thief._me, sign_pk=victim._me.sign_pk)
    by_code.old.receive_first(thief.first())
    third = thief.answer(by_code.old.describe(by_code.described))
    with pytest.raises(Reject) as e:
        by_code.old.check(third)
    assert code_of(e) == "signature"


def test_attack_a_proof_for_another_head_is_refused(meeting: Meeting) -> None:
    meeting.old.receive_first(meeting.new.first())
    second = meeting.old.describe(meeting.described)
    meeting.old._old = replace(meeting.described, head=Hash(os.urandom(32)))
    with pytest.raises(Reject) as e:
        meeting.old.check(meeting.new.answer(second))
    assert code_of(e) == "signature"


def test_attack_the_last_message_is_for_the_device_that_was_added(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    other = KemKey(os.urandom(32))
    for forged in (
        seal.seal_to(other.public, b"", enc([1, 3, bytes(16)])),
        seal.seal_to(KemKey(meeting.secrets.kem).public, b"", enc([1, 3, bytes(16)])),
        b"",
    ):
        with pytest.raises(Reject) as e:
            meeting.new.done(forged)
        assert code_of(e) == "enrol"


def test_attack_a_person_who_does_not_match_their_genesis_is_refused(meeting: Meeting) -> None:
    meeting.old.receive_first(meeting.new.first())
    second = meeting.old.describe(replace(meeting.described, genesis=Hash(os.urandom(32))))
    with pytest.raises(Reject) as e:
        meeting.new.answer(second)
    assert code_of(e) == "enrol"


# -- the log moves before the old device says yes ---------------------------------------------------------------


def moved(m: Meeting) -> bytes:
    """Another device makes a new key generation; returns message 5."""
    m.person.rotate_puk()
    return m.old.ask_again(m.person.log.seq, m.person.log.head)


def sixth(m: Meeting, fifth: bytes) -> bytes:
    answer = m.new.prove_again(fifth)
    assert answer is not None
    return answer


def test_a_new_device_proves_its_keys_again_as_often_as_the_log_moves(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    first = (meeting.described.seq, meeting.described.head)
    for _ in range(3):
        meeting.old.check_again(sixth(meeting, moved(meeting)))
        assert meeting.old.proved == meeting.person.log.head
    meeting.enter()
    assert meeting.new.heads[0] == first
    assert [meeting.person.log.head_at(seq) for seq, _ in meeting.new.heads] == [head for _, head in meeting.new.heads]
    assert len(meeting.new.heads) == 4


def test_the_last_message_is_no_question_for_another_proof(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    fourth = meeting.old.done(3, DevId(bytes(16)))
    assert meeting.new.prove_again(fourth) is None
    assert meeting.new.done(fourth) == (3, DevId(bytes(16)))


def test_attack_a_proof_for_a_head_before_is_no_proof_for_a_newer(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    for _ in range(2):
        stale = meeting.old.proof
        fifth = moved(meeting)
        before = copy.copy(meeting.old._cover)
        with pytest.raises(Reject) as e:
            meeting.old.check_again(copy.copy(before).put("new", [stale]))
        assert code_of(e) == "signature"
        assert meeting.old.proof == stale
        meeting.old._cover = before
        meeting.old.check_again(sixth(meeting, fifth))


def test_attack_another_device_does_not_prove_in_the_place_of_the_one_that_was_seen(by_code: Meeting) -> None:
    """▲ The person confirmed the device of message 1; an attacker who knows the code sends the proof of another
    device."""
    by_code.old.check(by_code.third())
    thief = Entering(by_code.agency, DeviceSecrets.fresh(), NAME, SYSTEM, by_code.code)
    moved(by_code)
    thief.old, thief._cover = by_code.old._old, by_code.old._cover
    assert thief.old is not None
    body: list[object] = [thief._prove(thief.old)]
    copied = copy.copy(by_code.old._cover)
    with pytest.raises(Reject) as e:
        by_code.old.check_again(copied.put("new", body))
    assert code_of(e) == "signature"


def test_attack_a_new_device_proves_for_no_older_head(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    for seq in (0, meeting.described.seq):
        with pytest.raises(Reject) as e:
            meeting.new.prove_again(meeting.old.ask_again(seq, Hash(os.urandom(32))))
        assert code_of(e) == "enrol"
    assert meeting.new.heads == [(meeting.described.seq, meeting.described.head)]


def test_attack_who_does_not_know_the_new_devices_key_asks_for_no_proof(meeting: Meeting) -> None:
    meeting.old.check(meeting.third())
    described = meeting.described
    forged = seal.seal_to(
        KemKey(os.urandom(32)).public, enc(["enrol-moved", described.uid, described.dev]), enc([1, 9, described.head])
    )
    assert meeting.new.prove_again(forged) is None
    with pytest.raises(Reject) as e:
        meeting.new.done(forged)
    assert code_of(e) == "enrol"


def test_messages_out_of_order_are_refused(meeting: Meeting) -> None:
    for early in (
        lambda: meeting.new.done(b""),
        lambda: meeting.old.check(b""),
        lambda: meeting.old.done(3, DevId(bytes(16))),
        lambda: meeting.new.prove_again(b""),
        lambda: meeting.old.ask_again(3, Hash(bytes(32))),
        lambda: meeting.old._verify(bytes(64)),
    ):
        with pytest.raises(Reject) as e:
            early()
        assert code_of(e) == "enrol"


# -- by digits: somebody in the middle, who speaks with both ----------------------------------------------------


def middle(m: Meeting) -> tuple[Entering, Admitting]:
    """The attacker in the middle: a new device to the old one, and an old device to the new one."""
    fake_new = Entering(m.agency, DeviceSecrets.fresh(), NAME, SYSTEM, None)
    fake_old = Admitting(m.agency, KemKey(os.urandom(32)), None)
    return fake_new, fake_old


def test_attack_one_in_the_middle_shows_other_digits(by_digits: Meeting) -> None:
    fake_new, fake_old = middle(by_digits)
    by_digits.old.receive_first(fake_new.first())
    fake_old.receive_first(by_digits.new.first())
    described = by_digits.old.describe(by_digits.described)
    mine = replace(by_digits.described, kem_pk=fake_old._kem.public)
    by_digits.new.answer(fake_old.describe(mine))
    by_digits.old.check(fake_new.answer(described))
    assert by_digits.old.digits != by_digits.new.digits


def test_attack_what_was_committed_cannot_be_another_thing_later(by_digits: Meeting) -> None:
    """▲ After receiving the old device's nonce the attacker in the middle can choose neither keys nor nonce any
    more."""
    fake_new, _ = middle(by_digits)
    by_digits.old.receive_first(fake_new.first())
    described = by_digits.old.describe(by_digits.described)
    fake_new._nonce = os.urandom(32)
    with pytest.raises(Reject) as e:
        by_digits.old.check(fake_new.answer(described))
    assert code_of(e) == "enrol"


def test_attack_a_device_hidden_under_another_key_is_refused(by_digits: Meeting) -> None:
    by_digits.old.receive_first(by_digits.new.first())
    answer = dec(by_digits.new.answer(by_digits.old.describe(by_digits.described)), limit=8192)
    assert isinstance(answer, list)
    with pytest.raises(Reject) as e:
        by_digits.old.check(enc([*answer[:3], bytes(len(answer[3]))]))
    assert code_of(e) == "enrol"


def test_attack_another_name_than_the_committed_is_refused(by_digits: Meeting) -> None:
    by_digits.old.receive_first(by_digits.new.first())
    described = by_digits.old.describe(by_digits.described)
    by_digits.new._me = replace(by_digits.new._me, name="Enhetschefens dator")
    with pytest.raises(Reject) as e:
        by_digits.old.check(by_digits.new.answer(described))
    assert code_of(e) == "enrol"


def test_attack_digits_depend_on_nothing_that_can_be_chosen_at_the_end(by_digits: Meeting) -> None:
    """▲ The sealed name and the proof come last: sealed again they are other bytes, and the digits are the same."""
    by_digits.old.receive_first(by_digits.new.first())
    described = by_digits.old.describe(by_digits.described)
    third = by_digits.new.answer(described)
    by_digits.old.check(third)
    version, proof, nonce, _ = fields.array(dec(third, limit=8192), 4, "third")
    sealed = seal.seal_to(
        by_digits.described.kem_pk, enc(["enrol-new", by_digits.described.uid, by_digits.described.dev]),
        enc(by_digits.new._me.fields()),
    )  # fmt: skip
    shown = by_digits.old.digits
    by_digits.old.check(enc([version, proof, nonce, sealed]))
    assert by_digits.old.digits == shown == by_digits.new.digits


def test_attack_digits_are_of_this_agency(by_digits: Meeting) -> None:
    misled = Entering(Hash(os.urandom(32)), by_digits.secrets, NAME, SYSTEM, None)
    by_digits.old.receive_first(misled.first())
    by_digits.old.check(misled.answer(by_digits.old.describe(by_digits.described)))
    assert misled.digits != by_digits.old.digits


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused_by_a_code(junk: bytes) -> None:
    office = Office()
    m = Meeting(office, office.hire("Registrator"), None)
    m.old.receive_first(m.new.first())
    m.old.describe(m.described)
    for take in (m.old.receive_first, m.old.check, m.new.answer):
        with pytest.raises(Reject):
            take(junk)
