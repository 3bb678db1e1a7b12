# SPDX-License-Identifier: EUPL-1.2
"""The name by which a client program states its release to the server, and the comparison of releases. It is a
statement, not a proof: it shows an operator which releases are in use and does not stop a client that lies."""

import re

from sync.protocol.version import PROGRAM

_NAME = "kansli"
AGENT = f"{_NAME}/{PROGRAM}"
"""The name that a client sends in its hello."""
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.(0|[1-9][0-9]{0,5}))?")

Release = tuple[int, int, int]
"""Major, minor, patch. Tuples compare as releases do."""


def release(text: str) -> Release | None:
    """The release that `text` names, as (major, minor, patch): "0.1.2", or "0.1" (then patch 0); None for any other
    text."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = found.groups("0")
    return int(major), int(minor), int(patch)


def release_of(agent: str) -> Release | None:
    """The release in `agent`, a client's name such as "kansli/0.1.2"; None for other programs and damaged names."""
    name, _, number = agent.partition("/")
    return release(number) if name == _NAME else None


def shown(found: Release) -> str:
    """A release as people write it: "0.1.2"."""
    return ".".join(map(str, found))
