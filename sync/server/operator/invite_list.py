# SPDX-License-Identifier: EUPL-1.2
"""Invites everybody on a list, and writes a table of the codes and the letters to print beside it. After an
interrupted run the next one continues: no line of the list ever gets a second code.

The table of codes is stored, whole, before the server knows any of them, and the server learns all of them in one
transaction. So the next run finds no table and nothing invited, or a table whose codes it adds where they are missing.
"""

import csv
import errno
import io
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sync.errors import Reject
from sync.protocol.addresses import host_name
from sync.server.config import LOOPBACK, Config, ConfigError
from sync.server.host.files import create_private, is_created
from sync.server.host.folder_hold import held
from sync.server.host.identity import read_agency
from sync.server.host.listening import named
from sync.server.host.wording import current_user, format_time
from sync.server.operator import admin_log, letters, offline_invites
from sync.server.operator.admin import opened
from sync.server.operator.invitations import namesakes
from sync.server.operator.letters import Letter
from sync.server.operator.staff_list import Listed, read_list
from sync.server.operator.staff_record import Staff, make_invite
from sync.server.rules.handshake import now_ms
from sync.server.store.base import InviteRow
from sync.trust.person.agency import FINGERPRINT_BYTES, Agency, SignInCode, invite_id

_BUSY = "another command invites people from a list in it"
_FORMULA = re.compile(r"""(^|[,;"]\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])""")
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_HEADER = ["line", "name", "title", "unit", "code", "invitation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The result of inviting everybody on a list, in sentences for the operator: what was made (`summary`), and what
    they should check (`warnings`, which may be empty). Contains none of the activation codes."""

    summary: str
    warnings: list[str]


async def invite_all(config: Config, source: Path, *, hours: float, key_file: Path | None = None) -> Made:
    """Makes an activation code, valid for `hours`, for everybody on the list in the file `source`, and writes
    `<list>.codes.csv` and `<list>.letters.pdf` beside it, both for their owner alone. A second call uses the codes in
    that table, invites only those who are not invited yet, and leaves existing letters as they are. `key_file`: where
    the agency's key is; None for where `init` put it. The server may be running.

    ConfigError, with nothing changed, if the list has a fault, if the files beside it belong to another list, or if
    another command works in its folder.
    """
    people = read_list(source)
    agency = read_agency(config.data, key_file)
    with held(source.parent, _BUSY):
        files = _Files.beside(source)
        known, codes = files.known_codes(people, agency)
        warnings = _unprintable(people) if known else await _warnings(config.data, people)
        if not known:
            create_private(files.codes, _table(people, codes))
        rows, added = await _invited(config.data, people, codes, agency, hours)
        letters_line = _write_letters(address(config), files.letters, people, codes, rows)
    begun = f"{added} of {len(people)} invited now"
    return Made(summary=_summary(begun, rows, files, letters_line), warnings=warnings)


def invite_all_offline(source: Path, to: Path, *, hours: float, key_file: Path | None) -> Made:
    """Makes an activation code, valid for `hours`, for everybody on the list in the file `source`, on a computer with
    the agency's key (`key_file`) and without a data folder. Writes the invitations to the file `to`, which
    `import-invites` takes in on the server, and the table of codes and the letters beside the list. The letters name no
    server. A second call continues an interrupted one.

    ConfigError, with nothing changed, if the list has a fault, if the files beside it belong to another list, or if
    another command works in its folder; also if `to` exists without the table of codes, has the invitations of another
    list, is cut off, or has an invitation that has ended.
    """
    people = read_list(source)
    agency = offline_invites.read_key(key_file)
    with held(source.parent, _BUSY):
        files = _Files.beside(source)
        known, codes = files.known_codes(people, agency)
        if not known:
            if to.exists():
                raise ConfigError(f"{to} exists already: name a new file for the invitations")
            create_private(files.codes, _table(people, codes))
        rows = (
            _written_before(to, codes, agency) if is_created(to) else _write_offline(to, people, codes, agency, hours)
        )
        letters_line = _write_letters("", files.letters, people, codes, rows)
    begun = f"{len(people)} invitations for the agency {agency.fingerprint.hex()[:16]}: {to}"
    return Made(summary=_summary(begun, rows, files, letters_line), warnings=_unprintable(people))


def _write_offline(
    to: Path, people: Sequence[Listed], codes: Sequence[SignInCode], agency: Agency, hours: float
) -> list[InviteRow]:
    rows = [make_invite(agency, code, each.who.encode(), hours=hours) for each, code in zip(people, codes, strict=True)]
    offline_invites.write_invitations(to, agency.pk, rows)
    return rows


def _written_before(to: Path, codes: Sequence[SignInCode], agency: Agency) -> list[InviteRow]:
    with to.open("rb") as f:
        rows = offline_invites.read_invitations(f, str(to), agency.pk, now_ms())
    if [row.invite_pk for row in rows] != [code.key.public for code in codes]:
        raise ConfigError(f"{to} has the invitations of another list: name a new file")
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The paths of the two files that are written beside a list of people: `codes`, the table of their activation codes
    (CSV), and `letters`, the letters to print (PDF). Both are named after the list."""

    codes: Path
    letters: Path

    @classmethod
    def beside(cls, source: Path) -> "_Files":
        return cls(
            codes=source.with_name(source.stem + ".codes.csv"), letters=source.with_name(source.stem + ".letters.pdf")
        )

    def known_codes(self, people: Sequence[Listed], agency: Agency) -> tuple[bool, list[SignInCode]]:
        """(whether an earlier run stored the codes, a code for each of `people`, in order): the stored codes, or new
        ones, which are stored nowhere yet. ConfigError if the stored table has other people, was changed, or can be
        written by other users, and if there are letters without a table."""
        if is_created(self.codes):
            return True, _read_codes(self.codes, people, agency)
        if self.letters.exists():
            raise ConfigError(f"{self.letters} exists already, without {self.codes.name}: take it away first")
        return False, [SignInCode.fresh(agency.pk) for _ in people]


def _summary(begun: str, rows: Sequence[InviteRow], files: _Files, letters_line: str) -> str:
    ends = max(row.not_after for row in rows)
    return (
        f"{begun}, good until {format_time(ends)}.\nCodes: {files.codes}\n{letters_line}: {files.letters}\n"
        "Hand the letters over, then delete both files: a person who has a code can begin in that person's name."
    )


async def _warnings(data: Path, people: Sequence[Listed]) -> list[str]:
    here = [f"line {people[at].line}: {text}" for at, text in await namesakes(data, [each.who for each in people])]
    return [*here, *_unprintable(people)]


def _unprintable(people: Sequence[Listed]) -> list[str]:
    """A warning for each of `people`, in their order, whose staff record has characters that the font of the printed
    letters lacks."""
    texts = [each.who.name + each.who.title + each.who.unit for each in people]
    odd = set(letters.unprintable("".join(texts)))
    return [
        f"line {each.line}: the letter has boxes in the place of {'  '.join(sorted(odd & set(text)))}"
        for each, text in zip(people, texts, strict=True)
        if odd & set(text)
    ]


async def _invited(
    data: Path, people: Sequence[Listed], codes: Sequence[SignInCode], agency: Agency, hours: float
) -> tuple[list[InviteRow], int]:
    """Invites `people`, each by the activation code at the same place in `codes`, valid for `hours`, signed by
    `agency`. Codes that are in the data folder `data` already, used or not, are not invited again. Stores the new
    invitations in one transaction, with an entry in the admin log. Returns the invitation of each code, in order, and
    how many of them are new. ConfigError if `data` has no database, StoreError if it cannot be written."""
    async with opened(data) as store:
        there = {row.invite_pk: row for row in await store.invites()}
        new = {
            code.key.public: make_invite(agency, code, each.who.encode(), hours=hours)
            for each, code in zip(people, codes, strict=True)
            if code.key.public not in there
        }
        if new:
            admin_log.record(store, "invite", invitations=len(new))
            await store.add_invites(list(new.values()))
    return [(there | new)[code.key.public] for code in codes], len(new)


def _write_letters(
    server: str, to: Path, people: Sequence[Listed], codes: Sequence[SignInCode], rows: Sequence[InviteRow]
) -> str:
    """Writes letters to the file `to`, one for each of `people` whose invitation can still be used. `codes` and `rows`
    have each person's activation code and invitation, in the same order. An existing file stays as it is. Returns the
    summary's words for the file: "Letters", or "Letters, made before" if it existed. `server` is what people type to
    reach it, "" if that is not known. ConfigError if the file does not exist and no invitation can be used."""
    if is_created(to):
        return "Letters, made before"
    now = now_ms()
    made = [
        Letter(who=each.who, code=code.format(), until_ms=row.not_after)
        for each, code, row in zip(people, codes, rows, strict=True)
        if row.is_open(now)
    ]
    if not made:
        raise ConfigError("every code of this list is used, withdrawn or too old: there is no letter to make")
    create_private(to, letters.pdf(made, server))
    return "Letters"


def address(config: Config) -> str:
    """The address that people type to reach the server, as far as the configuration `config` says it: the first of its
    `addresses`, or the only host in its TLS certificate (loopback aside), with the port. The port 443 is left out. ""
    if there is neither, or the certificate cannot be read. For plain HTTP (behind a proxy) the certificate is not
    used."""
    if config.addresses:
        return config.addresses[0].removesuffix(":443")
    names: set[str] = set()
    if config.cert is not None and not config.plain:
        with suppress(ConfigError, OSError):
            names = set(named(config.cert)) - set(LOOPBACK)
    if len(names) != 1:
        return ""
    host = host_name(names.pop())
    return host if config.port == 443 else f"{host}:{config.port}"


# -- the table of codes -----------------------------------------------------------------------------------------------


def _table(people: Sequence[Listed], codes: Sequence[SignInCode]) -> bytes:
    """The table of codes: a row for each of `people`, with the code at the same place in `codes` and its invitation's
    id. As CSV that spreadsheets of a Swedish office read: UTF-8 with its mark, semicolons."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(_HEADER)
    for each, code in zip(people, codes, strict=True):
        who = each.who
        ident = invite_id(code.key.public).hex()
        writer.writerow([each.line, *_cells(who), code.format(), ident])
    return out.getvalue().encode("utf-8-sig")


def _cells(who: Staff) -> list[str]:
    """▲ The name, title and unit of the person `who`, in this order, as cells that no spreadsheet computes: a character
    that begins a formula, such as = or @, gets an apostrophe before it. Otherwise a formula in a name could send away
    the codes beside it. Covers text behind a comma, a semicolon or a quotation mark too, where a spreadsheet of another
    country starts a new cell."""
    return [_FORMULA.sub(r"\1'\2", text) for text in (who.name, who.title, who.unit)]


def _read_codes(path: Path, people: Sequence[Listed], agency: Agency) -> list[SignInCode]:
    """The codes in the table that an earlier run stored at `path`. ConfigError unless the table has exactly `people`,
    in this order, and codes of this agency. Otherwise people on a list that was changed since would get codes that were
    made for others."""
    try:
        rows = list(csv.reader(io.StringIO(_own(path).decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
        header, lines = rows[0], rows[1:]
    except (csv.Error, UnicodeDecodeError, IndexError) as e:
        raise ConfigError(f"{path} is no table of codes that this program wrote: take it away first") from e
    was = [line[1:4] for line in lines]
    now = [_cells(each.who) for each in people]
    if header != _HEADER or was != now:
        raise ConfigError(
            f"{path} has the codes of another list, or the list was changed since: put new people in another list"
        )
    codes = []
    for number, line in enumerate(lines, start=2):
        try:
            code = SignInCode.parse(line[4])
        except (Reject, IndexError) as e:
            raise ConfigError(f"{path}, line {number}: the code was changed") from e
        if code.agency != agency.fingerprint[:FINGERPRINT_BYTES]:
            raise ConfigError(f"{path} has codes of another agency: take it away first")
        codes.append(code)
    if len(set(codes)) != len(codes):
        raise ConfigError(f"{path} has a code twice: it was changed")
    return codes


def _own(path: Path) -> bytes:
    """▲ The content of the file `path`, which only this user can have written. ConfigError for a link, for a file that
    others own or may write, and for no regular file; OSError if it is missing or cannot be read. Otherwise somebody who
    may write to the list's folder could put a table there with codes that they know, and the agency would sign those.
    On Windows links, owners and rights are not checked."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise ConfigError(f"{path} is a link and not what this program wrote: take it away first") from e
    with os.fdopen(fd, "rb") as f:
        found = os.fstat(fd)
        ours = not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & _WRITTEN_BY_OTHERS)
        if not ours or not stat.S_ISREG(found.st_mode):
            raise ConfigError(
                f"{path} can be written by others than {current_user()}: it may have codes that they know"
            )
        return f.read()
