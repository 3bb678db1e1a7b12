# SPDX-License-Identifier: EUPL-1.2
"""The demo's stage: a real server process, a recording wire for each client, the clients, and where their files lie."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.demo.driver import Client, Failed
from tests.demo.sample import UNIT, UNITS
from tests.demo.wire import Wire
from tests.patience import PATIENCE_S

SERVER = [sys.executable, "-m", "sync.server", "--log", "INFO"]
"""After so long a wait for a state fails, and names what it waited for."""
POLL_S = 0.02
DATABASE = "server.sqlite3"


class Stage:
    """`out` gets pictures; `out`/work everything else, emptied at the start."""

    def __init__(self, out: Path, labels: tuple[str, ...]) -> None:
        self.out = out.resolve()
        self.work = self.out / "work"
        shutil.rmtree(self.out, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.data = self.work / "server"
        self.wires = {label: Wire(label, self.work / f"wire-{label}.bin") for label in labels}
        self.clients: dict[str, Client] = {}
        self.server_log = self.work / "server.log"
        self._operator = ThreadPoolExecutor(3)
        self._beside = ThreadPoolExecutor(2)
        self._codes: dict[str, Future[str]] = {}
        self._older, self._newer = self.work / "older.sqlite3", self.work / "newer"
        self._server: subprocess.Popen[str] | None = None

    # -- server -----------------------------------------------------------------------------------------------------

    def admin(self, *arguments: str) -> str:
        """Runs one command of the server's operator."""
        answer = subprocess.run([*SERVER, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        with self.server_log.open("a", encoding="utf-8") as log:
            log.write(answer.stderr)
        if answer.returncode:
            raise Failed(f"sync.server {arguments[0]}: {answer.stderr}")
        return answer.stdout.strip()

    def found_agency(self) -> None:
        """Agency, binding key, demo CA; the wires begin to listen with the server's certificate."""
        self.admin("init", "--data", str(self.data), "--keys", str(self.data) + "-keys", "--demo-ca", "localhost")
        for wire in self.wires.values():
            wire.listen(self.data / "tls.pem", self.data / "tls.key")

    def serve(self) -> None:
        addresses = [word for wire in self.wires.values() for word in ("--address", f"localhost:{wire.port}")]
        command = [*SERVER, "serve", "--data", str(self.data), "--port", "0", *addresses]
        log = self.server_log.open("a", encoding="utf-8")
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        assert self._server.stdout is not None
        hung = threading.Timer(PATIENCE_S, self._server.kill)
        hung.start()
        line = self._server.stdout.readline()  # its port, or the end of a server that did not start
        hung.cancel()
        if not line:
            raise Failed(f"the server did not start: {self.server_log.read_text(encoding='utf-8')[-2000:]}")
        for wire in self.wires.values():
            wire.dial(json.loads(line)["port"], self.data / "ca.pem")

    def stop_server(self) -> None:
        """SIGTERM, and the server must end well by itself."""
        if self._server is None:
            return
        self._server.terminate()
        status = self._server.wait(PATIENCE_S)
        self._server = None
        if status:
            raise Failed(f"the server ended with status {status}")

    def invite(self, *names: str) -> None:
        """The operator begins to make activation codes, which `code` waits for."""
        for name in names:
            who = ("--name", name, "--title", name, "--unit", UNITS.get(name, UNIT))
            self._codes[name] = self._operator.submit(self.admin, "invite", "--data", str(self.data), *who)

    def invite_back(self, name: str) -> str:
        """An activation code for somebody who is here and the share of their recovery sheet, in one line."""
        (line,) = self.admin("users", name, "--data", str(self.data)).splitlines()
        both = self.admin("invite", "--data", str(self.data), "--person", json.loads(line)["person"])
        return both.replace("\n", " ")

    def code(self, name: str) -> str:
        return self._codes.pop(name).result()

    # -- a lie ------------------------------------------------------------------------------------------------------

    def keep_disk(self) -> None:
        """Keeps a copy of what the server's database is now, while it runs."""
        with closing(sqlite3.connect(self.data / DATABASE)) as now, closing(sqlite3.connect(self._older)) as older:
            now.backup(older)

    def turn_back(self) -> None:
        """The server stands again as it was at `keep_disk`, and says nothing of it."""
        self.stop_server()
        self._newer.mkdir()
        for path in self.data.glob(f"{DATABASE}*"):
            path.rename(self._newer / path.name)
        shutil.copy(self._older, self.data / DATABASE)
        self.serve()

    def set_right(self) -> None:
        """The stopped server has its newest database again."""
        for path in self.data.glob(f"{DATABASE}*"):
            path.unlink()
        for path in self._newer.iterdir():
            path.rename(self.data / path.name)

    def status(self) -> dict[str, int]:
        counts: dict[str, int] = json.loads(self.admin("status", "--data", str(self.data)))
        return counts

    # -- clients ----------------------------------------------------------------------------------------------------

    def client(self, label: str) -> Client:
        """A new desktop with an empty profile, whose administrator has put the agency's CA into place."""
        folder = self.work / label
        profile = folder / "profiles/default"
        profile.mkdir(parents=True)
        settings = {
            "ca-file": str(self.data / "ca.pem"),
            "theme": "light",
            "auto-lock-minutes": 0,
            "log-level": "debug",  # the more it says, the more the search for plain texts has to read
        }
        (profile / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        environment = {
            "KANSLI_DATA": str(folder),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONFAULTHANDLER": "1",
            "TZ": "Europe/Stockholm",
            "QT_SCALE_FACTOR": "1",
        }
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        self.clients[label] = Client(label, folder, [], environment)
        return self.clients[label]

    def beside(self, work: Callable[[], None]) -> Future[None]:
        """Runs `work` at another client while the next steps go on. A later step takes the `result`."""
        return self._beside.submit(work)

    def address(self, label: str) -> str:
        return f"https://localhost:{self.wires[label].port}"

    def close(self) -> None:
        """Ends everything, however things stand."""
        self._operator.shutdown(cancel_futures=True)
        for client in self.clients.values():
            client.kill()
        self._beside.shutdown(cancel_futures=True)
        for wire in self.wires.values():
            wire.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def searched(self) -> list[Path]:
        """Where no text may lie: the server's data folder and log, the wires, the clients' folders and logs."""
        return [
            self.data,
            self.server_log,
            *(wire.record for wire in self.wires.values()),
            *(client.folder for client in self.clients.values()),
        ]


def until(look: "object", what: str) -> None:
    """Waits for something outside the clients, or between them. `what` is said if it does not come."""
    assert callable(look)
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not otherwise within {PATIENCE_S:g} s")
        time.sleep(POLL_S)
