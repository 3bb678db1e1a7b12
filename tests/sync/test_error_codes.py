# SPDX-License-Identifier: EUPL-1.2
"""PROTOCOL.md lists the codes by which a server refuses."""

from pathlib import Path

from sync.protocol.messages import ErrorCode

PROTOCOL = Path(__file__).parents[2] / "sync" / "PROTOCOL.md"


def test_the_document_lists_every_error_code() -> None:
    start = "Error codes: "
    (line,) = [each for each in PROTOCOL.read_text(encoding="utf-8").splitlines() if each.startswith(start)]
    assert line.removeprefix(start).partition(".")[0].split() == list(ErrorCode)
