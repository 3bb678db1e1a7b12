# SPDX-License-Identifier: EUPL-1.2
"""Encodes frames to bytes and decodes them. Strict: a wrong type, an unknown tag or an oversized frame is a Reject."""

import msgspec

from sync.errors import Reject
from sync.protocol.messages import ClientFrame, Frame, ServerFrame
from sync.protocol.version import MAX_FRAME_BYTES

_encoder = msgspec.msgpack.Encoder()
_client_frames: msgspec.msgpack.Decoder[ClientFrame] = msgspec.msgpack.Decoder(ClientFrame)
_server_frames: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)


def encode(frame: Frame) -> bytes:
    """The bytes of one frame. Reject "oversize" if they would exceed MAX_FRAME_BYTES."""
    data = _encoder.encode(frame)
    if len(data) > MAX_FRAME_BYTES:
        raise Reject("oversize", type(frame).__name__)
    return data


def decode_client(data: bytes) -> ClientFrame:
    """A frame that a client sent; Reject "oversize" or "malformed"."""
    _check_size(data)
    try:
        return _client_frames.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise Reject("malformed", "client frame") from e


def decode_server(data: bytes) -> ServerFrame:
    """A frame that the server sent; Reject "oversize" or "malformed"."""
    _check_size(data)
    try:
        return _server_frames.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise Reject("malformed", "server frame") from e


def _check_size(data: bytes) -> None:
    if len(data) > MAX_FRAME_BYTES:
        raise Reject("oversize", "frame")
