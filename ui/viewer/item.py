# SPDX-License-Identifier: EUPL-1.2
"""The description of a file that a tool passes to the viewer."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file for the viewer. `key`: identifies it. `about`: one line that says who sent it and when. `fetch`: returns
    its bytes; the viewer may cancel it. `save`: asks the person where to save a copy; None if the policy lets no file
    be saved. `may_print` and `may_export`: whether the policy lets it be printed, and printed into a file, now.
    `go_to`: shows the message with which the file was sent; the viewer is closed before."""

    key: Hashable
    name: str
    size_bytes: int
    about: str
    fetch: Callable[[], Awaitable[bytes]]
    save: Callable[[], object] | None
    may_print: Callable[[], bool]
    may_export: Callable[[], bool]
    go_to: Callable[[], object]
