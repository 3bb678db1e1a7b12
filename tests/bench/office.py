# SPDX-License-Identifier: EUPL-1.2
"""An agency for benches: its server as a process of its own, profiles with an enrolled account, and a cache of what
takes long to make. The profiles' keys lie beside them: nothing in here is anybody's.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.core import clock
from app.kinds import KINDS
from app.profile import DEFAULT, Profile
from app.store.keyslots import new_key
from app.store.opening import create_store
from app.store.store import Store
from sync.client.account.enrolment import Enrolled, Enrolment
from sync.client.wire.egress import WebSocketDialer
from sync.client.wire.route import Route
from sync.client.wire.transport import ServerAddress
from sync.server.operator import admin

Build = Callable[[Path], Coroutine[None, None, None]]

ROOT = Path(__file__).parents[2]
CACHE = Path("build/bench")
UNIT = "Enheten för tillsyn"
HANDLER, HEAD = "Handläggare", "Enhetschef"
_FORMATS = ("sync/trust", "sync/crypto", "sync/protocol", "sync/server/store", "sync/client", "app/store", "app/chat")


def found(folder: Path) -> Path:
    """An agency in folder/server; gives that folder."""
    data = folder / "server"
    admin.init(data, keys=folder / "keys", demo_ca=["localhost"])
    return data


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """A running server process; gives its port. Profiles in the folder are told where it is."""
    with server_process(folder) as (_, port):
        yield port


def launch(folder: Path, name: str, module: str) -> list[str]:
    """The beginning of the command that runs a module as a process. If the folder has a subfolder `marks`, the process
    writes there when it passed each station of a message's way (traced.py), under its name."""
    marks = folder / "marks"
    traced = ["tests.bench.traced", str(marks / f"{name}.json")] if marks.exists() else []
    return [sys.executable, "-m", *traced, module]


@contextmanager
def server_process(folder: Path) -> Iterator[tuple[int, int]]:
    """The same; gives its process and its port."""
    data = folder / "server"
    command = [*launch(folder, "server", "sync.server"), "--log", "ERROR", "serve", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=as_shipped())
    try:
        assert process.stdout is not None
        port = int(json.loads(process.stdout.readline())["port"])
        point_to(folder, port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def point_to(folder: Path, port: int) -> None:
    """Writes the server's address and authority into every profile's settings, and the address into the store of every
    account that has signed in: settings do not move an account. No desk may be running."""
    address = f"localhost:{port}"
    settings = {
        "server": address,
        "ca-file": str((folder / "server" / "ca.pem").resolve()),
        "theme": "light",
        "auto-lock-minutes": 0,
    }
    for profile in folder.glob("*/profiles/default"):
        (profile / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    for key in folder.glob("*/key"):
        with open_store(folder, key.parent.name) as store:
            kept = store.kept_server()
            if kept is not None:
                store.keep_server(replace(kept, address=address))


@contextmanager
def open_store(folder: Path, name: str) -> Iterator[Store]:
    """A desk's store, while its process does not run."""
    key = bytes.fromhex((folder / name / "key").read_text(encoding="utf-8"))
    profile = folder / name / "profiles/default"
    store = Store.open(profile / "store.db", key, {kind.id: kind for kind in KINDS}, profile / "blobs")
    try:
        yield store
    finally:
        store.close()


async def enrol(folder: Path, name: str, port: int) -> None:
    """A profile in folder/name with an account, its database's key in folder/name/key."""
    data = folder / "server"
    profile = Profile.open(DEFAULT, folder / name)
    key = new_key()
    store = create_store(profile, key, {kind.id: kind for kind in KINDS})

    def keep(enrolled: Enrolled) -> None:
        with store.transaction():
            store.set_me(enrolled.account.uid)
            store.save_account(enrolled.account.encode())
            store.append_user_log(enrolled.account.uid, 0, enrolled.entries)
            store.put_person(enrolled.account.uid, enrolled.record, enrolled.salt)

    code = await admin.invite(data, name=name, title=name, unit=UNIT)
    dialer = WebSocketDialer(ServerAddress.parse(f"localhost:{port}"), lambda: Route(ca_file=data / "ca.pem"))
    await Enrolment(dialer, code, clock.now_ms).accept(keep)
    store.close()
    profile.close()
    (folder / name / "key").write_text(key.hex(), encoding="utf-8")
    point_to(folder, port)


def as_shipped() -> dict[str, str]:
    """Modules come compiled, as in a program that is installed, whatever this shell says about writing them."""
    compiled = {"PYTHONPYCACHEPREFIX": str((CACHE / "pycache").resolve())}
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | compiled


def environment(folder: Path, name: str) -> dict[str, str]:
    """What a process needs to open the profile by its raw key, without a display."""
    return {
        **as_shipped(),
        "KANSLI_RAW_KEY": (folder / name / "key").read_text(encoding="utf-8"),
        "KANSLI_DATA": str(folder / name),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder on the checkout's disk: commits must cost what they cost."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder).resolve()


@contextmanager
def copy_of(
    name: str, build: Callable[[Path], Coroutine[None, None, None]], sources: Sequence[Path] = ()
) -> Iterator[Path]:
    """A fresh copy of a folder that `build` made, in this run or an earlier one over the same formats."""
    kept = CACHE / f"{name}-{_digest(sources)}"
    if not kept.exists():
        for old in CACHE.glob(f"{name}-*"):
            shutil.rmtree(old)
        with scratch() as folder:
            made = folder / "made"
            made.mkdir()
            asyncio.run(build(made))
            made.rename(kept)
    with scratch() as folder:
        copy = folder / name
        shutil.copytree(kept, copy)
        yield copy


def _digest(sources: Sequence[Path]) -> str:
    """Names the code that wrote what is cached: other code, other cache."""
    files = [Path(__file__), *sources, *(f for part in _FORMATS for f in sorted((ROOT / part).rglob("*.py")))]
    return hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()[:12]
