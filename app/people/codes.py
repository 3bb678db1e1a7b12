# SPDX-License-Identifier: EUPL-1.2
"""The QR code for comparing keys with a person: `kansli:verify?uid=<32 hex>&genesis=<64 hex>`.

It holds nothing secret. It is worth as much as the screen or paper that it was read from: there, the reader is face to
face with the person, or on a call with a voice they know.
"""

from collections.abc import Iterable
from enum import StrEnum

from app.core import link_fields
from app.core.ids import Hash, Uid


class Verdict(StrEnum):
    """What a QR code that was read says about a person's keys, compared with those that this device knows."""

    SAME = "same"
    DIFFERENT = "different"
    """▲ The code names the person with other keys than this device was shown: an attacker is in between, or the keys
    were reset."""
    OTHER_PERSON = "other-person"
    NO_CODE = "no-code"


def write(genesis: Hash) -> str:
    """The code of the person whose log begins with this 32-byte genesis."""
    return link_fields.write("verify", {"uid": genesis[:16].hex(), "genesis": genesis.hex()})


def read(text: str) -> tuple[Uid, Hash] | None:
    """Reads (person, the hash of their log's first entry) from the text of a QR code; None if it is not one for
    comparing keys. Whether the two belong together is for `compare` to decide."""
    try:
        uid, genesis = map(bytes.fromhex, link_fields.read(text, "verify", "uid", "genesis") or ("", ""))
    except ValueError:
        return None
    return (Uid(uid), Hash(genesis)) if (len(uid), len(genesis)) == (16, 32) else None


def compare(texts: Iterable[str], uid: Uid, genesis: Hash) -> Verdict:
    """What the QR codes in a picture (`texts`) say about the keys of the person `uid`, whose log begins with `genesis`
    as this device knows it. ▲ One code with other keys makes the verdict DIFFERENT, whatever the other codes say. Codes
    of other people do not count: OTHER_PERSON if there are only such. NO_CODE if no code is for comparing keys."""
    codes = [code for code in map(read, texts) if code is not None]
    if not codes:
        return Verdict.NO_CODE
    about = [g for u, g in codes if u == uid]
    if not about:
        return Verdict.OTHER_PERSON
    return Verdict.SAME if all(g == genesis for g in about) else Verdict.DIFFERENT
