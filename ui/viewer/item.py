# SPDX-License-Identifier: EUPL-1.2
"""A file that the viewer can show, as a tool gives it."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file for the viewer. `key` identifies it. `about`: one line that says who sent it and when. `fetch` returns its
    bytes, and may be cancelled. `save` asks the person where to save a copy; None if policy lets no file be saved.
    `go_to` leaves the viewer and shows where the file was sent."""

    key: Hashable
    name: str
    size_bytes: int
    about: str
    fetch: Callable[[], Awaitable[bytes]]
    save: Callable[[], object] | None
    go_to: Callable[[], object]
