# SPDX-License-Identifier: EUPL-1.2
"""Reads the file of a secret key that an operator gives: by its path, or on standard input (`-`). Root can open a file
on standard input that the server's own user cannot open. identity.py writes key files and sets who owns them.
"""

import os
import stat
import sys
from pathlib import Path

from sync.server.config import ConfigError
from sync.server.host.wording import current_user

HEAD = "kansli/1"
"""The first line of every key file."""
STDIN = Path("-")
SEED_BYTES = 32
_MOST_BYTES = 4096
_OTHERS = stat.S_IROTH | stat.S_IWOTH


def parse(text: str) -> list[bytes]:
    """The values in `text`, the content of a key file, in their order: a version line, then each value in hex, with
    white space between them. ValueError for any other content, also if it has no value."""
    head, *values = text.split()
    if head != HEAD or not values:
        raise ValueError(head)
    return [bytes.fromhex(v) for v in values]


def read_seed(path: Path) -> bytes:
    """The agency key's seed (32 bytes) from the file at `path`, or from standard input for `-`. Standard input is
    consumed, so a second call finds it empty.

    ConfigError, with a sentence that names the file, if the file is missing, if this user may not read it, if everybody
    on this machine may read or change it, if it is not the file of an agency key, or if standard input is a terminal.
    OSError if it cannot be read for any other reason.
    """
    return read_values(path, "agency.key", "--agency-key", 1)[0]


def read_values(path: Path, key: str, option: str, count: int) -> list[bytes]:
    """The `count` values of 32 bytes in the file of a secret key at `path`, or on standard input for `-`. `key`: the
    name that the file has where `init` made it; `option`: the one by which the operator gives it. Both are for the
    sentences of ConfigError, which is raised as by `read_seed`, also if the file has another number of values. OSError
    if it cannot be read for any other reason."""
    name, content = _read(path, key, option)
    if not content:
        raise ConfigError(f"{name} is empty: it should be {key}")
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{name} is no key: it is larger than {_MOST_BYTES} bytes")
    try:
        values = parse(content.decode("ascii"))
    except ValueError as e:
        raise ConfigError(f"{name} cannot be read as a key: {key} begins with the line {HEAD}") from e
    if [len(value) for value in values] != [SEED_BYTES] * count:
        expected = f"{'one value' if count == 1 else f'{count} values'} of {SEED_BYTES} bytes"
        raise ConfigError(f"{name} is not an {key.removesuffix('.key')} key: it must hold {expected}")
    return values


def _read(path: Path, key: str, option: str) -> tuple[str, bytes]:
    """(the name of the file `path` for error messages, its content). Of the content at most `_MOST_BYTES` + 1 bytes, so
    that the caller notices a file that is too large. `-` reads standard input. ConfigError if the file is missing or a
    folder, if this user may not read it, if everybody on this machine may read or change it, or if standard input is a
    terminal. OSError if it cannot be read for any other reason."""
    if path == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise ConfigError(f"the key is read from standard input: {option} - < {key}")
        return "standard input", _read_open(sys.stdin.fileno(), "standard input", key)
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError as e:
        raise ConfigError(f"{path} is missing: say where {key} is with {option}") from e
    except PermissionError as e:
        instead = f"as root, give it on standard input: {option} - < {path}"
        raise ConfigError(f"{path} may not be read by {current_user()}; {instead}") from e
    try:
        return str(path), _read_open(fd, str(path), key)
    finally:
        os.close(fd)


def _read_open(fd: int, name: str, key: str) -> bytes:
    found = os.fstat(fd)
    if stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{name} is a folder: name the file {key} in it")
    if os.name == "posix" and stat.S_ISREG(found.st_mode) and found.st_mode & _OTHERS:
        how = "take that right away (chmod o-rwx), or mount a medium that knows no rights with umask=077"
        raise ConfigError(f"{name} can be read or changed by everybody on this machine: {how}")
    content = b""
    while len(content) <= _MOST_BYTES and (piece := os.read(fd, _MOST_BYTES + 1 - len(content))):
        content += piece
    return content
