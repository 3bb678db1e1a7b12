# SPDX-License-Identifier: EUPL-1.2
"""The field `begun` of a state, which is stored beside its `update`, and the bytes of a judge's stored state: the
position that it covers, the changes that wait there, and the judge's structure. FORMAT.md has every byte."""

from dataclasses import dataclass
from itertools import pairwise

import msgspec

from app.errors import BadChange
from app.objects.structure import Structure
from app.objects.structure_codec import encode

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, tuple[int, ...], bytes])
MAX_POSITION = 2**63


@dataclass(frozen=True, slots=True)
class StateStart:
    """What a judge (which decides which changes count) must know to begin with an object's merged state instead of its
    first change. `covers`: the last position of which the state has something. `waits`: positions of changes up to
    there that wait for others, ascending. `known`: the encoded structure."""

    covers: int
    waits: tuple[int, ...]
    known: bytes

    def encode(self) -> bytes:
        """The field's bytes."""
        return _encoder.encode((self.covers, self.waits, self.known))

    @classmethod
    def decode(cls, data: bytes) -> "StateStart":
        """Reads the bytes of `encode`. BadChange "damaged-update" for any bytes that `encode` would not give."""
        try:
            covers, waits, known = _decoder.decode(data)
        except (msgspec.MsgspecError, RecursionError) as e:
            raise BadChange("damaged-update") from e
        made = cls(covers, waits, known)
        rising = all(a < b for a, b in pairwise(waits))
        if made.encode() != data or not rising or not all(0 <= p <= covers < MAX_POSITION for p in (0, *waits)):
            raise BadChange("damaged-update")
        return made


def begun_of(covers: int, waits: tuple[int, ...], structure: Structure) -> StateStart:
    """A judge's present knowledge."""
    return StateStart(covers, waits, encode(structure))
