# SPDX-License-Identifier: EUPL-1.2
"""Windows programs on Linux: a Wine prefix of our own, a screen that nobody sees, and an end to every wait.

Good for building a bundle and trying an installer; it is not Windows (packaging/README.md says what that leaves open).
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from places import ROOT, WORK, run

NEEDS = {
    "wine": "wine",
    "wineserver": "wine",
    "Xvfb": "xvfb",
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
}
"""Programs, and the Debian packages that have them."""
STUBS = ROOT / "tests/packages/wine-stubs"
"""Sources of the libraries that Qt asks Windows for and Wine lacks. They stay in the prefix and are never bundled."""
_MAKE_S = 300.0


def missing() -> list[str]:
    """The Debian packages that are not here."""
    return sorted({package for program, package in NEEDS.items() if shutil.which(program) is None})


class Wine:
    """One prefix: its own drive C and registry. Use as a context manager; the end of it ends every program in it."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix.absolute()
        self._screen: subprocess.Popen[bytes] | None = None
        self._display = ""
        self._up: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, prefix: Path) -> "Wine":
        """Makes it (a minute), or takes the one that is there if it was made by the same Wine with the same stubs."""
        said = subprocess.run(["wine", "--version"], capture_output=True, text=True, check=True).stdout
        sources = sorted(STUBS.glob("*.c"))
        stamp, wanted = prefix / ".made-of", said + "".join(s.read_text(encoding="utf-8") for s in sources)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return cls(prefix)
        shutil.rmtree(prefix, ignore_errors=True)
        prefix.mkdir(parents=True)
        with cls(prefix) as wine:
            wine.run("wineboot", "--init", timeout_s=_MAKE_S)
            wine.wait()
            for source in sources:
                library = wine.windows("system32", f"{source.stem}.dll")
                library.unlink(missing_ok=True)  # may be a link to the one that all prefixes share
                run(
                    ["x86_64-w64-mingw32-gcc", "-shared", "-s", "-O1", "-w", "-o", library, source],
                    log=f"stub-{source.stem}",
                )
        stamp.write_text(wanted, encoding="utf-8")
        return cls(prefix)

    @classmethod
    def copy_of(cls, other: "Wine", prefix: Path) -> "Wine":
        """A prefix to spoil; `other` must be closed."""
        shutil.rmtree(prefix, ignore_errors=True)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(other.prefix), str(prefix)], check=True, timeout=_MAKE_S)
        return cls(prefix)

    def run(
        self,
        *command: str | Path,
        timeout_s: float,
        env: dict[str, str] | None = None,
        log: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a Windows program and gives its status and what it said, which is kept in `log` if that is given.

        After `timeout_s` everything in the prefix is ended and TimeoutExpired raised.
        """
        words = ["wine", *(windows_path(c) if isinstance(c, Path) else c for c in command)]
        # a file, not a pipe: what the program starts in the background holds it open for as long as it runs
        with log.open("w+b") if log else tempfile.TemporaryFile() as out:
            try:
                done = subprocess.run(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**self._environment(), **(env or {})},
                    timeout=timeout_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                self._end()
                raise
            out.seek(0)
            said = out.read().decode(errors="replace")
        return subprocess.CompletedProcess(words, done.returncode, said, "")

    def stay(self) -> None:
        """Keeps the system up until `close`: each program would start and end all of it otherwise, some seconds."""
        if self._up is None:
            self._up = subprocess.Popen(
                ["wine", "cmd"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment(),
            )

    def wait(self, timeout_s: float = 120) -> None:
        """Until nothing runs in it any more and its registry is on disk; what still runs then is ended."""
        try:
            subprocess.run(["wineserver", "-w"], env=self._environment(), timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            self._end()

    def drive(self, *parts: str) -> Path:
        """A place on its drive C."""
        return self.prefix.joinpath("drive_c", *parts)

    def windows(self, *parts: str) -> Path:
        """A place in its Windows folder."""
        return self.drive("windows", *parts)

    def close(self) -> None:
        """Ends every program in it, and the screen. Twice does no harm."""
        self._end()
        if self._up is not None:
            self._up.communicate(timeout=30)
            self._up = None
        if self._screen is not None:
            self._screen.terminate()
            self._screen.wait(timeout=30)
            self._screen = None

    def __enter__(self) -> "Wine":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _end(self) -> None:
        subprocess.run(["wineserver", "-k"], env=self._environment(), timeout=60, check=False)
        subprocess.run(["wineserver", "-w"], env=self._environment(), timeout=60, check=False)

    def _environment(self) -> dict[str, str]:
        if self._screen is None:
            self._screen, self._display = _new_screen()
        keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        return {
            **{key: os.environ[key] for key in keep if key in os.environ},
            "DISPLAY": self._display,
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            # the stubs instead of Wine's own; no questions about what is not installed
            "WINEDLLOVERRIDES": f"{','.join(p.stem for p in STUBS.glob('*.c'))}=n;mscoree,mshtml=;winemenubuilder.exe=",
        }


def windows_path(path: Path) -> str:
    r"""As Windows programs name it: Z:\work\kansli."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


def prefix() -> Wine:
    """The one that builds and tests start from."""
    return Wine.make(WORK / "wine")


def _new_screen() -> tuple[subprocess.Popen[bytes], str]:
    """An X server that picks a free number by itself, and that number."""
    ours, theirs = os.pipe()
    try:
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
            pass_fds=(theirs,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        number = file.readline().strip().decode()
    if not number:
        raise SystemExit("packages: Xvfb does not start")
    return screen, f":{number}"
