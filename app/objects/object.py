# SPDX-License-Identifier: EUPL-1.2
"""How a change's data is written: one version byte, then msgpack of a tagged msgspec struct.

Every tool declares its records as frozen `msgspec.Struct`s with a tag, and one `Payload` for their union:

    PAYLOAD: Payload[Send | Edit | Delete] = Payload(Send | Edit | Delete)
    data = PAYLOAD.encode(Send(text="Hej"))
    record = PAYLOAD.decode(change.data)
"""

from typing import Any, Generic, TypeVar, cast

import msgspec

from app.errors import BadChange

FORMAT = 1
MAX_DATA_BYTES = 192 * 1024
"""A change's largest data; more travels as a blob (protocol §2)."""

_encoder = msgspec.msgpack.Encoder()

T = TypeVar("T")


class Payload(Generic[T]):
    """The encoder and strict decoder of one tool's records."""

    __slots__ = ("_decoder",)

    def __init__(self, records: Any) -> None:
        """`records`: the struct type or the union of tagged struct types."""
        self._decoder = msgspec.msgpack.Decoder(records)

    def encode(self, record: T) -> bytes:
        """The bytes of a record."""
        return bytes((FORMAT,)) + _encoder.encode(record)

    def decode(self, data: bytes) -> T:
        """The record; BadChange "format-newer", "malformed" or "oversize" if it is none of ours."""
        if len(data) > MAX_DATA_BYTES:
            raise BadChange("oversize")
        if not data:
            raise BadChange("malformed")
        if data[0] != FORMAT:
            raise BadChange("format-newer")
        try:
            return cast("T", self._decoder.decode(memoryview(data)[1:]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:  # of fields that it would skip
            raise BadChange("malformed") from e
