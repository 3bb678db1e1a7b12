# SPDX-License-Identifier: EUPL-1.2
"""What a QR code says to whoever compares keys with a person: `kansli:verify?uid=<32 hex>&genesis=<64 hex>`.

It holds nothing secret. It is worth as much as the screen or paper it was read from: who read it there has met the
person, or hears a voice they know.
"""

from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from app.core.ids import Hash, Uid

SCHEME, PATH = "kansli", "verify"


class Verdict(StrEnum):
    """What a read code says of a person's keys."""

    SAME = "same"
    DIFFERENT = "different"
    """▲ It names the person with other keys than this device was shown: somebody is in between, or they were reset."""
    OTHER_PERSON = "other-person"
    NO_CODE = "no-code"


def write(genesis: Hash) -> str:
    """The code of the person whose log begins with this 32-byte genesis."""
    return f"{SCHEME}:{PATH}?uid={genesis[:16].hex()}&genesis={genesis.hex()}"


def read(text: str) -> tuple[Uid, Hash] | None:
    """(uid, genesis) of a code, or None if it is none of ours. Whether the two fit is for `compare` to say."""
    if len(text) > 256:
        return None
    try:
        parts = urlsplit(text.strip())
        fields = parse_qs(parts.query, strict_parsing=True)
        (uid,), (genesis,) = fields["uid"], fields["genesis"]
        raw = bytes.fromhex(uid), bytes.fromhex(genesis)
    except (KeyError, ValueError):
        return None
    ours = (parts.scheme, parts.path) == (SCHEME, PATH) and (len(raw[0]), len(raw[1])) == (16, 32)
    return (Uid(raw[0]), Hash(raw[1])) if ours else None


def compare(texts: Iterable[str], uid: Uid, genesis: Hash) -> Verdict:
    """What the codes in a picture say of the person. ▲ One with other keys outweighs every other: none is the same."""
    codes = [code for code in map(read, texts) if code is not None]
    if not codes:
        return Verdict.NO_CODE
    about = [g for u, g in codes if u == uid]
    if not about:
        return Verdict.OTHER_PERSON
    return Verdict.SAME if all(g == genesis for g in about) else Verdict.DIFFERENT
