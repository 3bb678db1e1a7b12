# SPDX-License-Identifier: EUPL-1.2
"""The encoding, the frames of both ways, and the headers of a transfer."""

from collections.abc import Callable
from typing import Any

from tests.fuzz import samples
from tests.fuzz.target import Run, Target, each


def _encoding() -> Run:
    from sync.crypto.encoding import dec, enc

    def run(data: bytes) -> None:
        assert enc(dec(data, limit=1 << 20)) == data

    return run


def _frames(side: str) -> Callable[[], Run]:
    def make() -> Run:
        from sync.protocol import codec

        decode: Callable[[bytes], Any] = codec.decode_client if side == "client" else codec.decode_server

        def run(data: bytes) -> None:
            frame = decode(data)
            assert decode(codec.encode(frame)) == frame

        return run

    return make


def _blob_headers() -> Run:
    from sync.server.rules.blob_headers import BlobRefusal, PartName, PutHeaders, parse_range

    def run(data: bytes) -> None:
        text = data.decode("latin-1")
        one, _, other = text.partition("\n")
        asked: tuple[Callable[[], object], ...] = (
            lambda: PutHeaders.parse(one, len(other), other, 4 << 20),
            lambda: parse_range(one, 4 << 20),
            lambda: PartName.parse(one, other, one[::-1]),
        )
        each(BlobRefusal, asked)

    return run


TARGETS = (
    Target(name="encoding", make=_encoding, seeds=samples.everything),
    Target(name="client-frames", make=_frames("client"), seeds=samples.client_frames),
    Target(name="server-frames", make=_frames("server"), seeds=samples.server_frames),
    Target(name="blob-headers", make=_blob_headers, seeds=samples.blob_headers),
)
