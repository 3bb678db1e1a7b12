# SPDX-License-Identifier: EUPL-1.2
"""A package's files as they lie on the user's disk, and what it asks of the system; deb and rpm are made of this.

kansli          /usr/lib/kansli  /usr/bin/kansli  desktop file, icons, MIME type, AppStream, man page, policies
kansli-server   /usr/lib/kansli-server  /usr/bin/kansli-server  systemd units, /etc/kansli/server.toml, man page
"""

import gzip
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import freezing
import needs
from drawing import png
from places import HOMEPAGE, PACKAGING, ROOT, SERVER_SUMMARY, SUMMARY, WORK, epoch, settle, version

ICON_SIZES = (16, 32, 48, 64, 128, 256, 512)
APP_ID = "se.kansli.Kansli"
SERVER_PAGES = ("OPERATOR.md", "OPERATOR.sv.md", "HELPDESK.sv.md")
"""Of docs/, in the server's package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """`files` is laid out as /; `conffiles` are kept when an administrator has changed them."""

    name: str
    summary: str
    description: str
    files: Path
    sonames: list[str]
    glibc: str
    conffiles: tuple[str, ...] = ()
    scripts: Path | None = None
    """A folder with postinst, prerm and postrm in sh, for dpkg; rpm's are made of the same lines."""
    extra: tuple[str, ...] = ()
    """Debian packages that no file links to and the program wants all the same."""


def client() -> Tree:
    """The desktop application."""
    frozen, files = freezing.freeze("kansli"), _new("kansli")
    _program(files, frozen, "kansli")
    linux, share = PACKAGING / "linux/client", files / "usr/share"
    _put(linux / f"{APP_ID}.desktop", share / "applications")
    _put(linux / f"{APP_ID}.xml", share / "mime/packages")
    metainfo = (linux / f"{APP_ID}.metainfo.xml").read_text(encoding="utf-8")
    day = datetime.fromtimestamp(epoch(), UTC).date().isoformat()
    _write(share / f"metainfo/{APP_ID}.metainfo.xml", _filled(metainfo, VERSION=version(), DATE=day, HOMEPAGE=HOMEPAGE))
    logo = ROOT / "resources/icons/logo.svg"
    _put(logo, share / "icons/hicolor/scalable/apps", f"{APP_ID}.svg")
    for size in ICON_SIZES:
        path = share / f"icons/hicolor/{size}x{size}/apps/{APP_ID}.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(png(logo, size))
    _manual(files, "kansli")
    _put(PACKAGING / "linux/policies-sample.json", share / "doc/kansli")
    _put(ROOT / "docs/POLICIES.md", share / "doc/kansli")
    (files / "etc/kansli/policies").mkdir(parents=True)
    settle(files)
    return Tree(
        name="kansli",
        summary=SUMMARY,
        description="Everything about a case in one sealed room, in which several people work at once. Content is\n"
        "encrypted on the desktop; the server only holds ciphertext.",
        files=files,
        sonames=needs.libraries(frozen),
        glibc=freezing.glibc(frozen),
        extra=("libxkbcommon-x11-0", "fontconfig"),
    )


def server() -> Tree:
    """The agency's sync server as a service."""
    frozen, files = freezing.freeze("kansli-server"), _new("kansli-server")
    _program(files, frozen, "kansli-server")
    units = PACKAGING / "server"
    for unit in sorted([*units.glob("*.service"), *units.glob("*.timer"), *units.glob("*.socket")]):
        _put(unit, files / "usr/lib/systemd/system")
    _put(units / "sysusers.conf", files / "usr/lib/sysusers.d", "kansli-server.conf")
    _put(units / "tmpfiles.conf", files / "usr/lib/tmpfiles.d", "kansli-server.conf")
    _put(units / "server.toml", files / "etc/kansli")
    for page in SERVER_PAGES:
        _put(ROOT / "docs" / page, files / "usr/share/doc/kansli-server")
    _manual(files, "kansli-server")
    settle(files)
    return Tree(
        name="kansli-server",
        summary=SERVER_SUMMARY,
        description="Passes sealed content between the desktops of an agency, keeps it, and proves what it kept.\n"
        "It has no key to anything that was written.",
        files=files,
        sonames=needs.libraries(frozen),
        glibc=freezing.glibc(frozen),
        conffiles=("/etc/kansli/server.toml",),
        scripts=PACKAGING / "linux/server",
        extra=("passwd",),
    )


def _new(name: str) -> Path:
    files = WORK / "trees" / name
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    return files


def _program(files: Path, frozen: Path, name: str) -> None:
    shutil.copytree(frozen, files / "usr/lib" / name, symlinks=True)
    (files / "usr/bin").mkdir(parents=True)
    (files / "usr/bin" / name).symlink_to(f"../lib/{name}/{name}")
    _put(ROOT / "LICENSE", files / "usr/share/doc" / name, "copyright")
    changes = gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=epoch())
    (files / "usr/share/doc" / name / "changelog.gz").write_bytes(changes)


def _manual(files: Path, name: str) -> None:
    text = (PACKAGING / f"man/{name}.1").read_text(encoding="utf-8").replace("@VERSION@", version())
    folder = files / "usr/share/man/man1"
    folder.mkdir(parents=True)
    (folder / f"{name}.1.gz").write_bytes(gzip.compress(text.encode(), mtime=epoch()))


def _put(source: Path, folder: Path, name: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / (name or source.name))


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
