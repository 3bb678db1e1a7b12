# SPDX-License-Identifier: EUPL-1.2
"""A staff record as an operator gives it, and the invitation that binds it. Nothing here reads or writes a store."""

import os
import re
import unicodedata
from dataclasses import dataclass

from sync.server.config import ConfigError
from sync.server.rules.handshake import now_ms
from sync.server.store.base import InviteRow
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash

MOST_CHARS = 120
"""Most characters of a name, a title or a unit. In UTF-8 at most 480 bytes; it fits on two lines of a letter."""
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that are invisible or reorder others. ▲ A name must have none."""
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]"
)
"""Letters and marks that are drawn as nothing. ▲ With one of them, two different names would look the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A person's staff record as an operator gives it, checked and normalised: name, title and unit. `staff` makes
    one."""

    name: str
    title: str
    unit: str

    @property
    def key(self) -> tuple[str, str, str]:
        """A value to compare records by: equal for two records that differ only in upper and lower case."""
        return self.name.casefold(), self.title.casefold(), self.unit.casefold()

    def encode(self) -> bytes:
        """The record's bytes, over which an invitation's hash is computed."""
        return encode_record({"name": self.name, "title": self.title, "unit": self.unit})


def staff(*, name: str, title: str, unit: str) -> Staff:
    """Makes a staff record from `name`, `title` and `unit`: each composed (NFC) and without superfluous spaces.
    ConfigError for an empty name, for a text of more than MOST_CHARS, and for characters that nobody sees."""
    if not name.strip():
        raise ConfigError("a name is needed")
    return Staff(name=_text("name", name), title=_text("title", title), unit=_text("unit", unit))


def _text(field: str, value: str) -> str:
    composed = unicodedata.normalize("NFC", value.strip(" "))
    for char in composed:
        if unicodedata.category(char) in _UNSEEN or _BLANK.match(char):
            raise ConfigError(f"the {field} has a character that cannot be seen (U+{ord(char):04X})")
    text = " ".join(composed.split())
    if len(text) > MOST_CHARS:
        raise ConfigError(f"the {field} has {len(text)} characters; at most {MOST_CHARS} are taken")
    return text


def make_invite(
    agency: Agency, code: SignInCode, record: bytes, *, hours: float, person: bytes | None = None
) -> InviteRow:
    """Makes the invitation that belongs to an activation code, signed by the agency, as a row for the store. `record`:
    the staff record that it binds, encoded. It can be used for `hours`. `person`: the account of a person who is
    invited back. A second call for the same code gives a different salt: only one of the two can be stored."""
    made, salt, invite_pk = now_ms(), os.urandom(16), code.key.public
    not_after = made + int(hours * 3_600_000)
    body, sig = agency.certify_invite(invite_pk, record_hash(salt, record), not_after)
    return InviteRow(
        invite_pk=invite_pk,
        cert_body=body,
        cert_sig=sig,
        salt=salt,
        record=record,
        not_after=not_after,
        made=made,
        person=person,
    )
