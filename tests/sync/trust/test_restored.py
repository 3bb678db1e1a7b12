# SPDX-License-Identifier: EUPL-1.2
"""The server's statement that it was restored: its content, the agency that it holds for, and what it explains."""

import os

import pytest

from sync.crypto.encoding import enc
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.trust.room.restore_notice import CLOCK_AHEAD_MS, DOMAIN, LAG_MS, Restored
from tests.sync.trust.people import NOW

SERVER, AGENCY = SigningKey(bytes(32)), bytes(range(32))


def test_a_statement_is_read_as_it_was_written() -> None:
    statement = Restored.sign(SERVER, AGENCY, NOW, NOW - 5)
    assert Restored.check(SERVER.public, AGENCY, statement.body, statement.sig) == statement
    assert (statement.t, statement.backup_t) == (NOW, NOW - 5)
    assert statement.encode() == enc([1, statement.body, statement.sig])


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
    statement = Restored.sign(SigningKey(os.urandom(32)), AGENCY, NOW, NOW)
    with pytest.raises(Reject) as e:
        Restored.check(SERVER.public, AGENCY, statement.body, statement.sig)
    assert e.value.code == "signature"


def test_attack_it_explains_nothing_that_was_on_the_disk_when_the_backup_was_made() -> None:
    statement = Restored.sign(SERVER, AGENCY, NOW, NOW)
    assert statement.explains(NOW - LAG_MS, NOW)
    assert not statement.explains(NOW - LAG_MS - 1, NOW)


def test_attack_an_old_restore_explains_no_loss_of_what_was_acknowledged_after_it() -> None:
    statement = Restored.sign(SERVER, AGENCY, NOW, NOW - 5)
    assert statement.explains(NOW, NOW + CLOCK_AHEAD_MS), "the clock of the lost server may have been ahead"
    assert not statement.explains(NOW, NOW + CLOCK_AHEAD_MS + 1)
