# SPDX-License-Identifier: EUPL-1.2
"""`kansli --purge-machine`: removes every profile of every user of this computer, for administrators only.

The uninstaller runs it when PURGE=1 was asked for. Key slots are removed first: a database that cannot be removed,
since a program has it open, can then never be opened again, and the keys that remain in the users' key stores open
nothing.

Only folders that hold a profile are emptied, wherever the machine's policy and its defaults put them. No link that a
user could have made is followed: it is reported. One user's folders never stop the removal of another user's profiles.
A data folder that a user named for themselves (KANSLI_DATA, --data) is not known here and stays.
"""

import fnmatch
import glob
import itertools
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app import policy
from app.core.held_folder import HeldFolder
from app.settings import DATA_ROOT

if sys.platform == "win32":
    import ctypes
else:
    import pwd

HOMES = Path("/home")
RUNTIMES = Path("/run/user")
"""Where each user has a folder in memory (XDG_RUNTIME_DIR)."""
PROFILE_LIST = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
MAX_DEPTH = 12
"""How deep folders of a profile are emptied; there are three levels."""
_KEYS, _PROFILES, _ROOT = "keys", "profiles", "Kansli"
_SLOT = b"KNSLOT"
_ID = re.compile(r"[0-9a-f]{32}")
_WORKING = re.compile(r"kansli-[0-9a-f]{32}")
_VARIABLE = re.compile(r"%([^%]+)%" if sys.platform == "win32" else r"\$\{?(\w+)\}?")
_ANY = "\0"
"""Replaces a name that is not known, such as %USERNAME% of a user who has never signed in here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of this computer: their home folder, the values of their environment variables, and the data folders
    (`roots`) that policy names for them."""

    home: Path
    data: Path
    """Where the user's profiles are if nothing names another place."""
    variables: Mapping[str, str]
    roots: tuple[str, ...] = ()


@dataclass(slots=True)
class Purged:
    """What a purge did. `removed`: profiles. `left`: what is still there, and why. `links`: links in the place of a
    folder of ours, behind which there may be more. `unknown`: data folders whose text could not be understood. `lost`:
    working folders, and how many files were open in them in other programs."""

    removed: list[Path] = field(default_factory=list)
    left: list[tuple[Path, str]] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    lost: list[tuple[Path, int]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yields the result of a purge in lines for the administrator: each thing removed or left, then their
        numbers."""
        yield from (f"removed {path}" for path in self.removed)
        yield from (f"left {path}: {why}" for path, why in self.left)
        yield from (f"not followed: link {path}" for path in self.links)
        yield from (f"lost in {path}: {count} files that were open in other programs" for path, count in self.lost)
        yield from (f"not understood: data root {text}" for text in self.unknown)
        yield f"{len(self.removed)} removed, {len(self.left)} left"


class Registry(policy.Registry, Protocol):
    """The part of Windows' registry that a purge needs, beside what reading a policy does; `hive` may be "HKU" too."""

    def keys(self, hive: str, path: str) -> Sequence[str]:
        """The names of the keys in a key."""
        ...


def main() -> int:
    """Removes every profile of every user of this computer and writes what it did into a log file. Returns the exit
    status: 0; 1 if something could not be removed (a link that was not followed, or a data folder that was not
    understood, does not count) or after any error; 2 if the user is no administrator. Raises nothing: the frozen
    program would show an exception in a box, and wait."""
    try:
        return _main()
    except Exception as e:
        _print(f"failed: {type(e).__name__}: {e}\n")
        return 1


def _main() -> int:
    if not _is_administrator():
        sys.stderr.write("kansli: --purge-machine is for administrators only\n") if sys.stderr else None
        return 2
    read = policy.machine()
    named = [str(values.get(DATA_ROOT.key, "")) for values in (read.fixed, read.defaults)]
    purged = purge(users(), [*named, os.environ.get("KANSLI_DATA", "")])
    purge_working_folders(RUNTIMES, purged)
    _print("".join(f"{line}\n" for line in purged.lines()))
    return 1 if purged.left else 0


def _print(text: str) -> None:
    """Writes `text`, what the purge did or why it failed, to a new file in the temporary folder, which may be
    everybody's, and with the file's name to the terminal if there is one. Does nothing if the file cannot be made."""
    with suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="kansli-purge-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        if sys.stdout is not None:
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(f"{text}{name}\n".encode(encoding, "replace").decode(encoding))


def purge(people: Iterable[User], roots: Sequence[str] = ()) -> Purged:
    """Removes the profiles of these users (`people`), in their own folders and in the machine's data folders (`roots`,
    as they are written in policy). Returns what it did; what fails is noted there, and stops nothing."""
    out, seen = Purged(), set[tuple[Path, tuple[str, ...]]]()
    for user in people:
        places = [(user.home, user.data.relative_to(user.home).parts)]
        for text in filter(None, [*roots, *user.roots]):
            place = _place(text, user)
            if place is not None:
                places.append(place)
            elif text not in out.unknown:
                out.unknown.append(text)
        for base, inside in places:
            if (base, inside) not in seen:
                seen.add((base, inside))
                _look(base, inside, out)
    return out


def purge_working_folders(runtimes: Path, out: Purged) -> None:
    """▲ Removes the working folders (app/copies/place.py) of all users from memory, with the files in them that are
    open in other programs. `runtimes`: the folder that holds a folder for each user; nothing is done if it does not
    exist. What was removed and what failed is noted in `out`; what was changed in these files is lost."""
    try:
        with HeldFolder.at(runtimes) as all_users:
            for user in all_users.names():
                with _noted(runtimes / user, out):
                    if all_users.is_folder(user):
                        _purge_runtime(all_users, user, out)
    except FileNotFoundError:
        return
    except OSError as e:
        out.left.append((runtimes, _reason(e)))


def _purge_runtime(all_users: HeldFolder, user: str, out: Purged) -> None:
    with all_users.folder(user) as runtime:
        for name in filter(_WORKING.fullmatch, runtime.names()):
            with _noted(runtime.path / name, out):
                _purge_working_folder(runtime, name, out)


@contextmanager
def _noted(path: Path, out: Purged) -> Iterator[None]:
    """▲ One user's folder, which they may mount, change or remove meanwhile, keeps no other user's from being purged:
    an error is noted, unless `path` is gone."""
    try:
        yield
    except FileNotFoundError:
        return
    except OSError as e:
        out.left.append((path, _reason(e)))


def _purge_working_folder(runtime: HeldFolder, name: str, out: Purged) -> None:
    if not _is_ours(runtime, name, out):
        return
    before, count = len(out.left), 0
    with runtime.folder(name) as working:
        for copy in filter(working.is_folder, working.names()):
            with working.folder(copy) as files:
                count += len(files.names())
        _empty(working, out)
    if len(out.left) == before:
        runtime.remove_folder(name)
        out.removed.append(runtime.path / name)
    if count:
        out.lost.append((runtime.path / name, count))


def _place(text: str, user: User) -> tuple[Path, tuple[str, ...]] | None:
    """Splits the path of a data folder, as it is written in policy (`text`), for one `user`: (the part that only an
    administrator could have made a link, the names or patterns of the folders below it, none of which may be a link).
    None if the path is relative, on another computer, or has an unknown variable.

    In a user's home folder the first part is that folder. Elsewhere it ends before the first variable of the user's,
    such as their name. A pattern has * where the user's name is not known.
    """
    own = {k.upper(): v for k, v in user.variables.items()}
    others = {k.upper(): v for k, v in os.environ.items() if k.upper() not in own}
    if text.startswith("~"):
        text = str(user.home) + text[1:]
    text = _VARIABLE.sub(lambda found: others.get(found[1].upper(), found[0]), text)
    full = _VARIABLE.sub(lambda found: own.get(found[1].upper(), found[0]), text)
    path = Path(full)
    if _VARIABLE.search(full) or not path.is_absolute() or full.startswith(("\\\\", "//")):
        return None
    if path.is_relative_to(user.home):
        base = user.home
    else:
        named = [*itertools.takewhile(lambda part: not _VARIABLE.search(part), Path(text).parts)]
        base = Path(*named) if named else Path(path.anchor)
    inside = path.parts[len(base.parts) :]
    return base, tuple(glob.escape(part).replace(_ANY, "*") if _ANY in part else part for part in inside)


def _look(base: Path, inside: Sequence[str], out: Purged) -> None:
    try:
        with HeldFolder.at(base.resolve(strict=True)) as held:
            _below(held, inside, out)
    except FileNotFoundError:
        return  # no profile was ever made here
    except (OSError, RuntimeError, ValueError) as e:  # of links in a ring; of a name that no folder can have
        out.left.append((base, _reason(e)))


def _below(folder: HeldFolder, inside: Sequence[str], out: Purged) -> None:
    """Goes down from a held folder along the names or patterns `inside` to the data folder, and purges it there.
    Removes the data folder itself if it is Kansli's own and empty then. What was removed, what failed, and links that
    were not followed are noted in `out`."""
    if not inside:
        _purge_root(folder, out)
        return
    pattern, rest = inside[0], inside[1:]
    for name in fnmatch.filter(folder.names(), pattern) if "*" in pattern else [pattern]:
        try:
            if not _is_ours(folder, name, out):
                continue
            with folder.folder(name) as inner:
                _below(inner, rest, out)
                empty = not rest and name == _ROOT and not inner.names()
            if empty:
                folder.remove_folder(name)
        except OSError as e:
            out.left.append((folder.path / name, _reason(e)))


def _is_ours(folder: HeldFolder, name: str, out: Purged) -> bool:
    """Whether `name` is a folder in the held folder. A link in its place is noted in `out`, and is not followed: False.
    OSError if the system does not say."""
    if folder.is_link(name):
        out.links.append(folder.path / name)
    return folder.is_folder(name)


def _purge_root(root: HeldFolder, out: Purged) -> None:
    if not _is_ours(root, _PROFILES, out):
        return
    with root.folder(_PROFILES) as profiles:
        for name in profiles.names():
            _purge_profile(profiles, name, out)
        empty = not profiles.names()
    if empty:
        root.remove_folder(_PROFILES)


def _purge_profile(profiles: HeldFolder, name: str, out: Purged) -> None:
    before = len(out.left)
    path = profiles.path / name
    try:
        if not _is_ours(profiles, name, out):
            return
        with profiles.folder(name) as profile:
            if not _is_profile(profile):
                return
            _empty(profile, out)
        if len(out.left) == before:
            profiles.remove_folder(name)
            out.removed.append(path)
    except OSError as e:
        out.left.append((path, _reason(e)))


def _reason(e: Exception) -> str:
    return getattr(e, "strerror", None) or type(e).__name__


def _is_profile(folder: HeldFolder) -> bool:
    """Whether the folder is a profile of ours: it has a profile's id or a key slot. Other programs have folders called
    profiles too. OSError if it cannot be read."""
    if folder.is_file("profile.json"):
        try:
            found = json.loads(folder.read("profile.json", 4096))
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and _ID.fullmatch(str(found.get("id", ""))):
            return True
    if not folder.is_folder(_KEYS):
        return False
    with folder.folder(_KEYS) as keys:
        return any(keys.is_file(name) and keys.read(name, len(_SLOT)) == _SLOT for name in keys.names())


def _empty(folder: HeldFolder, out: Purged, depth: int = 0) -> None:
    """Removes everything in `folder`, key slots first; `folder` itself stays. A link is removed, and what it leads to
    stays. What cannot be removed is noted in `out`. `depth`: how many levels `folder` is below the profile, 0 for the
    profile; folders deeper than MAX_DEPTH are left, and noted. OSError if `folder` itself cannot be listed."""
    for name in sorted(folder.names(), key=lambda n: (n != _KEYS, n)):
        try:
            if not folder.is_folder(name):
                folder.remove(name)
                continue
            if depth == MAX_DEPTH:
                out.left.append((folder.path / name, "too deep"))
                continue
            with folder.folder(name) as inner:
                before = len(out.left)
                _empty(inner, out, depth + 1)
            if len(out.left) == before:
                folder.remove_folder(name)
        except FileNotFoundError:
            continue  # a running program removed it first
        except OSError as e:
            out.left.append((folder.path / name, _reason(e)))


def users_of_windows(registry: Registry) -> list[User]:
    """Every user who has a folder on this Windows computer, signed in or not. For a signed-in user also the data folder
    that their own policy names."""
    found = []
    for sid in registry.keys("HKLM", PROFILE_LIST):
        home = registry.values("HKLM", rf"{PROFILE_LIST}\{sid}").get("ProfileImagePath")
        if not isinstance(home, str) or not home:
            continue
        folder = Path(os.path.expandvars(home))
        local = folder / "AppData" / "Local"
        own = {k.lower(): v for k, v in registry.values("HKU", rf"{sid}\{policy.POLICY_KEY}").items()}
        variables = {
            "USERPROFILE": str(folder),
            "LOCALAPPDATA": str(local),
            "APPDATA": str(folder / "AppData" / "Roaming"),
            "HOMEDRIVE": folder.drive,
            "HOMEPATH": str(folder).removeprefix(folder.drive),
            "USERNAME": _ANY,
            "USERDOMAIN": _ANY,
        }
        root = own.get(DATA_ROOT.value_name.lower())
        roots = (root,) if isinstance(root, str) else ()
        found.append(User(home=folder, data=local / _ROOT, variables=variables, roots=roots))
    return found


def _one_each(people: Iterable[User]) -> list[User]:
    return list({user.home: user for user in people}.values())


if sys.platform == "win32":

    def users() -> list[User]:
        """This computer's users."""
        return _one_each(users_of_windows(policy.WindowsRegistry()))

    def _is_administrator() -> bool:
        return bool(ctypes.windll.shell32.IsUserAnAdmin())

else:

    def users() -> list[User]:
        """This computer's users: those in the system's list of users, and those who have a folder in /home (a
        directory's users)."""
        listed = [(Path(p.pw_dir), p.pw_name) for p in pwd.getpwall() if Path(p.pw_dir).is_absolute()]
        others = [(p, p.name) for p in sorted(HOMES.glob("*"))]
        return _one_each(_user(home, name) for home, name in [*others, *listed] if _may_be_folder(home))

    def _may_be_folder(path: Path) -> bool:
        """Whether a path may be a user's home folder: not the /dev/null of a service's user, but also a folder that
        root may not look into, since a user can mount a file system of their own on it."""
        try:
            return stat.S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def _user(home: Path, name: str) -> User:
        variables = {"HOME": str(home), "USER": name, "LOGNAME": name}
        return User(home=home, data=home / ".local" / "share" / _ROOT, variables=variables)

    def _is_administrator() -> bool:
        return os.geteuid() == 0
