# SPDX-License-Identifier: EUPL-1.2
"""Keeps what another program changed in one working copy, and removes the copy if no program has it open."""

import asyncio
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.copies.files import MOST_FILES, files_in, remove_folder
from app.copies.held import held_files
from app.copies.kept import KeptFiles, digest_of
from app.core import clock
from app.core.ids import new_id
from app.errors import FileUnreadable, StoreFault, disk_fault
from app.objects.filenames import shown_name
from app.store.working_copies import ChangedCopy, OpenedCopy, WorkingCopyRows

_ASIDE = ".going"
"""The ending of a copy's folder while it is removed: a program that still knows the old path fails to write there,
and says so, instead of writing what is removed a moment later."""

_State = tuple[int, int, int]
"""(inode, size, time of the last change in ns) of a file: while they stay, its bytes are not read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiped:
    """What became of one copy. `kept`: a change of it was kept. `is_held`: the copy stays, since another program,
    `program` ("" if not known), has a file of it open, or the system refuses to remove it."""

    kept: bool
    is_held: bool = False
    program: str = ""


class Wiping:
    """Keeps and removes copies in plain. Lives on the event loop; one copy at a time."""

    def __init__(self, rows: WorkingCopyRows, kept: KeptFiles) -> None:
        self._rows, self._kept = rows, kept
        self._seen: dict[Path, tuple[_State, bytes]] = {}
        self._left_out: set[tuple[bytes, str, bytes]] = set()

    def leave_out(self, changed: ChangedCopy) -> None:
        """Notes that the person has discarded this state of a file: `wipe` does not keep it again in this session."""
        self._left_out.add((changed.copy, changed.file, changed.digest))

    async def wipe(self, copy: OpenedCopy, held: Mapping[Path, str], *, stays: bool) -> Wiped:
        """Keeps what has changed in a copy, and removes it, unless it `stays` or another program has it open. `held`:
        the files that other programs have open, as `held_files` found them a moment ago. StoreFault if a change cannot
        be kept; then no file of the copy is removed."""
        folder = Path(copy.folder)
        aside = folder.with_name(folder.name + _ASIDE)
        in_aside = [program for path, program in held.items() if path.is_relative_to(aside)]
        in_folder = [program for path, program in held.items() if path.is_relative_to(folder)]
        program = next(iter(in_aside + in_folder), None)
        kept = await self._finish(copy, aside, is_held=bool(in_aside))
        kept |= await self._keep(copy, folder, MOST_FILES)
        if stays or program is not None:
            return Wiped(kept=kept, is_held=program is not None, program=program or "")
        if not await asyncio.to_thread(_rename, folder, aside):
            return Wiped(kept=kept, is_held=True)
        kept |= await self._keep(copy, aside)  # a program may have written between the first look and now
        if now_held := await asyncio.to_thread(held_files, aside):
            await asyncio.to_thread(_rename, aside, folder)
            return Wiped(kept=kept, is_held=True, program=next(iter(now_held.values())))
        if not await asyncio.to_thread(remove_folder, aside):
            return Wiped(kept=kept, is_held=True)
        self._rows.remove(copy.copy)
        self._seen = {path: seen for path, seen in self._seen.items() if not path.is_relative_to(folder)}
        return Wiped(kept=kept)

    async def _finish(self, copy: OpenedCopy, aside: Path, *, is_held: bool) -> bool:
        """Completes a removal that a crash or an error has interrupted, unless another program has a file there open
        (`is_held`). Returns whether something was kept."""
        if not await asyncio.to_thread(aside.exists):
            return False
        kept = await self._keep(copy, aside)
        if not is_held:
            await asyncio.to_thread(remove_folder, aside)
        return kept

    async def _keep(self, copy: OpenedCopy, folder: Path, most: int | None = None) -> bool:
        """Keeps each file in `folder` whose bytes are neither those that were written nor kept already: of the first
        `most`, or ▲ before a removal of all (None). Returns whether it kept one. Keeps nothing of a copy that was never
        whole: no other program has had it."""
        kept = False
        for path in await asyncio.to_thread(files_in, folder, most) if copy.is_whole else ():
            file = _as_text(path.relative_to(folder))
            digest, before = await self._digest(path), self._rows.known(copy.copy, file)
            is_known = digest in (None, copy.digest, before[1] if before is not None else None)
            if not is_known and (copy.copy, file, digest) not in self._left_out:
                kept |= await self._keep_one(copy, path, file, new_id() if before is None else before[0])
        return kept

    async def changed_names(self, copy: OpenedCopy) -> list[str]:
        """The names of the files of a copy that another program changed or saved beside it, as they are now, without
        what the person has discarded; of the first MOST_FILES. For a copy that has no row any more, and of which
        nothing can be kept. A file that cannot be read counts as unchanged."""
        found, folder = list[str](), Path(copy.folder)
        for place in (folder, folder.with_name(folder.name + _ASIDE)):
            for path in await asyncio.to_thread(files_in, place, MOST_FILES) if copy.is_whole else ():
                file = _as_text(path.relative_to(place))
                with suppress(StoreFault):
                    digest = await self._digest(path)
                    if digest not in (None, copy.digest) and (copy.copy, file, digest) not in self._left_out:
                        found.append(copy.of.name if file == copy.file else shown_name(path.name))
        return found

    async def _digest(self, path: Path) -> bytes | None:
        try:
            state = await asyncio.to_thread(_state, path)
            before = self._seen.get(path)
            if state is None or (before is not None and before[0] == state):
                return None if state is None or before is None else before[1]
            digest = await asyncio.to_thread(digest_of, path)
        except OSError as e:
            raise disk_fault(e) from e
        if digest is not None:
            self._seen[path] = state, digest
        return digest

    async def _keep_one(self, copy: OpenedCopy, path: Path, file: str, ident: bytes) -> bool:
        try:
            manifest, names, digest, size = await asyncio.to_thread(self._kept.keep, copy.of.room, path)
        except FileUnreadable:
            return False  # it is gone, or no file any more
        of = copy.of if file == copy.file else replace(copy.of, name=shown_name(path.name))
        return self._rows.keep(
            ChangedCopy(
                id=ident,
                copy=copy.copy,
                file=file,
                of=of,
                size=size,
                t=clock.now_ms(),
                digest=digest,
                manifest=manifest,
                parts=names,
            )
        )


def is_of(path: Path, names: Container[str]) -> bool:
    """Whether a path in a working folder is the folder of a copy, perhaps set aside, whose name is in `names`."""
    return path.name.removesuffix(_ASIDE) in names


def _as_text(path: Path) -> str:
    """A path as text for the store. ▲ A program may give a file a name that is no valid text, and it is kept too."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _rename(folder: Path, to: Path) -> bool:
    """Renames a folder. True also if there is nothing to rename; False if the system refuses, as Windows does while a
    file in it is open."""
    try:
        folder.rename(to)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _state(path: Path) -> _State | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
