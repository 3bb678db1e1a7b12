# SPDX-License-Identifier: EUPL-1.2
"""Searches files for texts that must not be there, in the forms in which a text could lie there unsealed."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHORTEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Find:
    """A text that was found, in which form, where."""

    text: str
    form: str
    place: Path

    def __str__(self) -> str:
        return f"{self.text!r} as {self.form} in {self.place}"


def forms(text: str) -> dict[str, bytes]:
    """A text as UTF-8, UTF-16 both ways, hex in both cases, and base64 at its three offsets, both alphabets."""
    plain = text.encode()
    found = {
        "UTF-8": plain,
        "UTF-16-LE": text.encode("utf-16-le"),
        "UTF-16-BE": text.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
    }
    for offset in range(3):
        # Only the characters that depend on the text alone: not the first ones after padding, not the last group.
        encoded = base64.b64encode(b"\0" * offset + plain)
        middle = encoded[(0, 2, 3)[offset] : (offset + len(plain)) // 3 * 4]
        found[f"base64+{offset}"] = middle
        found[f"base64url+{offset}"] = middle.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def files(places: Iterable[Path]) -> Iterator[Path]:
    """Every file below the places, databases' write-ahead logs too."""
    for place in places:
        yield from (path for path in sorted(place.rglob("*")) if path.is_file()) if place.is_dir() else [place]


def search(texts: Iterable[str], places: Iterable[Path]) -> list[Find]:
    """Where any of the texts lies in the clear. Texts under 16 bytes are left out: they could be there by chance."""
    sought = [(text, forms(text)) for text in sorted(set(texts)) if len(text.encode()) >= SHORTEST_BYTES]
    found: list[Find] = []
    for path in files(places):
        content = path.read_bytes()
        for text, ways in sought:
            found += [Find(text, form, path) for form, way in ways.items() if way in content]
    return found


def windows_of(text: str) -> Iterator[str]:
    """A long text and its lines and middle parts: so that a text that was stored in pieces is found too."""
    yield text
    for line in text.splitlines():
        yield line
        for start in range(0, max(0, len(line) - 24), 24):
            yield line[start : start + 24]
