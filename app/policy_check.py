# SPDX-License-Identifier: EUPL-1.2
"""`kansli --check-policies [FILE]`: the settings that administrators have fixed on this computer, line by line, and
what is wrong with them. It is for the administrator's own terminal: unlike the log and the report for support it shows
the values."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.policy import DEFAULTS_FILE, Finding, Policy, from_file, machine
from app.settings import PROXY_ADDRESS, PROXY_MODE

OPTION = "--check-policies"
SOUND, FAULTY = 0, 1
_MOST_SHOWN = 200
"""How many characters of a key or a value are shown."""


def main(given: Sequence[str]) -> int:
    """Runs the check for the command line: prints the policies of this machine, or with a path in `given` that one file
    (as the file with defaults if it has that file's name), and what is wrong with them. Returns the exit status: 0 if
    nothing is wrong, 1 otherwise, also for more than one path. A valid value that a later one replaces is no fault."""
    if len(given) > 1:
        print(f"kansli: {OPTION} takes one file, or none for this computer's policies", file=sys.stderr)
        return FAULTY
    if given:
        path = Path(given[0])
        policy = from_file(path, proposed=path.name == DEFAULTS_FILE.name)
    else:
        policy = machine()
    faults = 0
    for line, sound in report(policy, whole=not given):
        faults += not sound
        print(line)
    print(f"{faults} fault{'' if faults == 1 else 's'}." if faults else "Everything counts as it is written.")
    return FAULTY if faults else SOUND


def report(policy: Policy, *, whole: bool) -> Iterator[tuple[str, bool]]:
    """Yields (a line to print, whether it is without fault) for each value that was found, in order; one line if none
    was. `whole`: these are all the policies of a computer. Only then is it a fault, in a last line, if the proxy's mode
    is fixed without the address that it needs."""
    last = {(entry.key, entry.proposed): entry for entry in policy.found if entry.accepted}
    if not policy.found:
        yield "Nothing is fixed or proposed.", True
    for entry in policy.found:
        counts = last[entry.key, entry.proposed] if entry.accepted else entry
        yield f"{_where(entry)}: {_verdict(entry, counts)}", entry.accepted
    mode = policy.fixed.get(PROXY_MODE.key)
    if whole and mode in ("manual", "pac") and not policy.fixed.get(PROXY_ADDRESS.key):
        entry = last[PROXY_MODE.key, False]
        lacks = f'{PROXY_MODE.key} "{mode}" needs {PROXY_ADDRESS.key}, which no policy gives: nothing is connected to'
        yield f"{_where(entry)}: {lacks} until a person names one", False


def _where(entry: Finding) -> str:
    """Where a value was found, as compilers write it: file:line:column. An unknown line or column is left out."""
    return ":".join([_harmless(entry.path or entry.source), *(str(n) for n in (entry.line, entry.column) if n)])


def _verdict(entry: Finding, counts: Finding) -> str:
    written = f"{_harmless(entry.key[:_MOST_SHOWN])} = {_shown(entry.value)}: " if entry.key else ""
    if not entry.accepted:
        return f"{written}LEFT OUT: {entry.fault}"
    if counts is not entry:
        return f"{written}replaced by {_where(counts)}"
    return f"{written}{'proposed' if entry.proposed else 'fixed'}"


def _shown(value: object) -> str:
    """A value as JSON, on one line, cut at _MOST_SHOWN characters; only the name of its type if JSON cannot hold it
    (bytes)."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # of the registry: bytes
        text = type(value).__name__
    return _harmless(text[:_MOST_SHOWN])


def _harmless(text: str) -> str:
    """The text without characters that a terminal would obey or could not encode."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
