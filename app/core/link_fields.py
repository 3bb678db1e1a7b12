# SPDX-License-Identifier: EUPL-1.2
"""Links of ours with named fields, in QR codes and invitations: `kansli:<what>?name=value&…`, or with `//` after the
colon, as mail programs and browsers want it. Everybody can make one: the reader must judge its fields."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

SCHEME = "kansli"
MAX_CHARS = 512
"""The longest link of ours has a server's name of at most 253 and a code."""


def write(what: str, fields: Mapping[str, str]) -> str:
    """The link `kansli:<what>?…` with these fields."""
    return f"{SCHEME}:{what}?{urlencode(fields)}"


def read(text: str, what: str, *names: str) -> tuple[str, ...] | None:
    """The values of the fields `names`, in that order, in `text`, a link of ours of the kind `what`
    (`kansli:<what>?name=value&…`); None if `text` is no such link, lacks a name or its value, has a field twice or is
    too long. Fields with other names are ignored."""
    if len(text) > MAX_CHARS:
        return None
    try:
        parts = urlsplit(text.strip())
        pairs = parse_qsl(parts.query, strict_parsing=True)
    except ValueError:
        return None
    fields = dict(pairs)
    ours = parts.scheme == SCHEME and what in (parts.netloc, parts.path) and len(fields) == len(pairs)
    return tuple(fields[name] for name in names) if ours and fields.keys() >= set(names) else None
