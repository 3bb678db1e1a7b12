# SPDX-License-Identifier: EUPL-1.2
"""The server's word that it was restored: what it says, for whom it holds, and what it explains."""

import os

import pytest

from sync.crypto.encoding import enc
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.trust.room.restore_notice import DOMAIN, LAG_MS, Restored
from tests.sync.trust.people import NOW

SERVER, AGENCY = SigningKey(bytes(32)), bytes(range(32))


def test_a_statement_is_read_as_it_was_written() -> None:
    told = Restored.sign(SERVER, AGENCY, NOW, NOW - 5)
    assert Restored.check(SERVER.public, AGENCY, told.body, told.sig) == told
    assert (told.t, told.backup_t) == (NOW, NOW - 5)
    assert told.encode() == enc([1, told.body, told.sig])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([2, AGENCY, NOW, NOW, bytes(16)], "format"),
        ([1, bytes(32), NOW, NOW, bytes(16)], "agency"),
        ([1, AGENCY, NOW, NOW + 1, bytes(16)], "malformed"),
        ([1, AGENCY, NOW, NOW, b""], "malformed"),
        ([1, AGENCY, NOW], "malformed"),
    ],
)
def test_attack_a_statement_that_makes_no_sense_is_refused_though_signed(value: list[object], code: str) -> None:
    body = enc(value)
    with pytest.raises(Reject) as e:
        Restored.check(SERVER.public, AGENCY, body, SERVER.sign(DOMAIN, body))
    assert e.value.code == code


def test_attack_a_statement_of_another_server_is_refused() -> None:
    told = Restored.sign(SigningKey(os.urandom(32)), AGENCY, NOW, NOW)
    with pytest.raises(Reject) as e:
        Restored.check(SERVER.public, AGENCY, told.body, told.sig)
    assert e.value.code == "signature"


def test_attack_it_explains_nothing_that_was_on_the_disk_when_the_backup_was_made() -> None:
    told = Restored.sign(SERVER, AGENCY, NOW, NOW)
    assert told.explains(NOW - LAG_MS)
    assert not told.explains(NOW - LAG_MS - 1)
