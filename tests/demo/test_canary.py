# SPDX-License-Identifier: EUPL-1.2
"""The demo's search for plain texts finds them in every form, and its proxy shows what a masked frame hides."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.demo.canary import forms, search
from tests.demo.wire import Frames

TEXT = "Ärendet är förseglat 🔒 för alla utom oss"
HEAD = b"GET /v1/sync HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("form", sorted(forms(TEXT)))
def test_a_text_is_found_in_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/db-wal").write_bytes(os.urandom(999) + forms(TEXT)[form] + os.urandom(999))
    assert form in {found.form for found in search([TEXT], [tmp_path])}


@pytest.mark.parametrize("before", range(6))
def test_a_text_is_found_inside_base64_of_something_longer(tmp_path: Path, before: int) -> None:
    (tmp_path / "log").write_bytes(base64.b64encode(b"x" * before + TEXT.encode() + b"yz"))
    assert [found.form for found in search([TEXT], [tmp_path])]


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(os.urandom(100_000))
    assert search([TEXT], [tmp_path]) == []


def test_a_short_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"kort text")
    assert search(["kort text"], [tmp_path]) == []


def masked(payload: bytes, mask: bytes) -> bytes:
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x82" + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


@given(
    payloads=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    mask=st.binary(min_size=4, max_size=4),
    cut=st.integers(min_value=1, max_value=70),
)
def test_masks_come_off_wherever_the_stream_is_cut(payloads: list[bytes], mask: bytes, cut: int) -> None:
    stream = HEAD + b"".join(masked(payload, mask) for payload in payloads)
    frames = Frames()
    seen = b"".join(frames.clear(stream[at : at + cut]) for at in range(0, len(stream), cut))
    assert seen == HEAD + b"".join(payloads)


def test_plain_http_is_shown_as_it_is() -> None:
    request = b"PUT /v1/blobs/ab HTTP/1.1\r\nContent-Length: 5\r\n\r\nhallo"
    assert Frames().clear(request) == request
