# SPDX-License-Identifier: EUPL-1.2
"""How a change's data is written: one version byte, then msgpack of a tagged msgspec struct.

Every tool declares its records as frozen `msgspec.Struct`s with a tag, and one `Payload` for their union:

    PAYLOAD: Payload[Send | Edit | Delete] = Payload(Send | Edit | Delete)
    data = PAYLOAD.encode(Send(text="Hej"))
    record = PAYLOAD.decode(change.data)
"""

from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from app.errors import BadChange

FORMAT = 1
MAX_DATA_BYTES = 192 * 1024
"""A change's largest data; more travels as a blob (protocol §2)."""

_encoder = msgspec.msgpack.Encoder()

T = TypeVar("T")


class Payload(Generic[T]):
    """Encodes and strictly decodes the records of one tool: a format byte, then msgpack."""

    __slots__ = ("_decoder", "_tags", "_type")

    def __init__(self, records: Any) -> None:
        """`records`: the struct type or the union of tagged struct types."""
        self._decoder = msgspec.msgpack.Decoder(records)
        configs = [record.__struct_config__ for record in get_args(records) or (records,)]
        self._tags = {config.tag for config in configs}
        tagged = msgspec.defstruct("Tagged", [("type", str)], rename={"type": configs[0].tag_field or "type"})
        self._type = msgspec.msgpack.Decoder(tagged)

    def encode(self, record: T) -> bytes:
        """The bytes of a record."""
        return bytes((FORMAT,)) + _encoder.encode(record)

    def decode(self, data: bytes) -> T:
        """Decodes a change's data. BadChange "format-newer" if a newer program wrote it: another format, or a type of
        record that this program does not know. BadChange "oversize" if it is too long, "malformed" for any other
        damage, and for no data."""
        if len(data) > MAX_DATA_BYTES:
            raise BadChange("oversize")
        if not data:
            raise BadChange("malformed")
        if data[0] != FORMAT:
            raise BadChange("format-newer")
        try:
            return cast("T", self._decoder.decode(memoryview(data)[1:]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:  # of fields that it would skip
            raise BadChange("format-newer" if self._is_of_another_type(data) else "malformed") from e

    def _is_of_another_type(self, data: bytes) -> bool:
        """Whether the data is a record of a type that this program does not know, so that a newer program must have
        written it. False for data in which no type can be read."""
        try:
            tag: object = getattr(self._type.decode(memoryview(data)[1:]), "type", None)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return tag not in self._tags
