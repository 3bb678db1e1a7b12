# SPDX-License-Identifier: EUPL-1.2
"""The proxies' settings in docs/OPERATOR.md as they stand there, with paths and ports of a test: each program accepts
them, people enrol and write through it, it takes TLS 1.3 only, and its log names neither addresses nor rooms."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.server.config import Config
from sync.server.process.running import start_server
from tests.packages.guides import OPERATOR, blocks
from tests.packages.machine import free_port
from tests.sync.server.parts import files_of
from tests.sync.server.test_running import check_old_tls_is_refused
from tests.sync.server.wire import Person, new_data
from tests.world import until

ADDRESS = "127.0.0.1"
MODULES = {
    "mpm_event": "mpm_event",
    "authz_core": "authz_core",
    "socache_shmcb": "socache_shmcb",
    "ssl": "ssl",
    "proxy": "proxy",
    "proxy_http": "proxy_http",
    "headers": "headers",
    "log_config": "",
}
"""Apache's, that Debian or `a2enmod` switches on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """`program` reads the file that `whole` makes of the guide's block; `check` says whether the file is right."""

    program: str
    whole: Callable[[str, Path], str]
    check: tuple[str, ...]
    run: tuple[str, ...]


def _nginx(text: str, home: Path) -> str:
    head = f"daemon off; pid {home}/pid; error_log {home}/log; events {{}}"
    kept = " ".join(f"{each}_temp_path {home}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    return f"{user} {head} http {{ access_log {home}/access; {kept} {text} }}"


def _apache(text: str, home: Path) -> str:
    folder = Path("/usr/lib/apache2/modules")
    loaded = [f"LoadModule {name}_module {folder}/mod_{name}.so" for name in MODULES if MODULES[name]]
    head = [f"ServerRoot {home}", f"PidFile {home}/pid", f"ErrorLog {home}/log", "ServerName localhost"]
    log = f'CustomLog {home}/access "%h %U"'
    port = re.findall(r"<VirtualHost \*:(\d+)>", text)[0]
    return "\n".join([*loaded, *head, f"DefaultRuntimeDir {home}", f"Listen {ADDRESS}:{port}", log, text])


def _caddy(text: str, home: Path) -> str:
    return text.replace("{\n", "{\n    admin off\n    auto_https disable_redirects\n", 1)


def _haproxy(text: str, home: Path) -> str:
    return f"global\n    log stdout format raw local0\ndefaults\n    log global\n    option httplog\n{text}"


PROXIES = {
    "nginx": Proxy(program="nginx", whole=_nginx, check=("-t", "-c"), run=("-c",)),
    "apache": Proxy(program="apache2", whole=_apache, check=("-t", "-f"), run=("-DFOREGROUND", "-f")),
    "caddy": Proxy(
        program="caddy",
        whole=_caddy,
        check=("validate", "--adapter", "caddyfile", "--config"),
        run=("run", "--adapter", "caddyfile", "--config"),
    ),
    "haproxy": Proxy(program="haproxy", whole=_haproxy, check=("-c", "-f"), run=("-db", "-f")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the guide's names stand for in a test."""

    home: Path
    data: Path
    port: int
    inside: int

    def here(self, text: str) -> str:
        """The guide's settings with this test's paths, name and ports."""
        pem = self.home / "kansli.pem"
        for old, new in (
            ("/run/kansli/server.sock", f"{self.home}/server.sock"),
            ("/etc/haproxy/kansli.pem", str(pem)),
            ("/etc/kansli/", f"{self.data}/"),
            ("/var/log/nginx/", f"{self.home}/"),
            ("kansli.example.se", "localhost" if "reverse_proxy" not in text else f"https://localhost:{self.port}"),
            ("listen 443", f"listen {ADDRESS}:{self.port}"),
            ("*:443", f"*:{self.port}"),
            ("bind :443", f"bind {ADDRESS}:{self.port}"),
            ("127.0.0.1:8443", f"{ADDRESS}:{self.inside}"),
        ):
            text = text.replace(old, new)
        return text


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    home = Path(tempfile.mkdtemp(prefix="k-"))  # short: a socket's path may have 107 bytes
    data = new_data(home / "server")
    (home / "kansli.pem").write_bytes((data / "tls.pem").read_bytes() + (data / "tls.key").read_bytes())
    yield Place(home=home, data=data, port=free_port(), inside=free_port())
    shutil.rmtree(home)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((ADDRESS, port), 5).close()
    except OSError:
        return False
    return True


def complaint(proxy: Proxy, file: Path, env: dict[str, str]) -> str:
    """What the program finds wrong with its settings; empty if it takes them."""
    command = [proxy.program, *proxy.check, str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return f"{told.stdout}{told.stderr}" if told.returncode else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
async def test_people_work_through_the_proxy_of_the_guide_and_it_logs_nothing_of_them(place: Place, name: str) -> None:
    proxy = PROXIES[name]
    if shutil.which(proxy.program) is None:
        pytest.skip(f"{proxy.program} is not installed here")
    (text,) = [block.text for block in blocks(OPERATOR) if block.language == name]
    file = place.home / "proxy.conf"
    file.write_text(proxy.whole(place.here(text), place.home), encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "HOME": str(place.home)}
    assert complaint(proxy, file, env) == ""
    at = {"host": ADDRESS, "port": place.inside} if name == "haproxy" else {"unix": place.home / "server.sock"}
    addresses = (f"localhost:{place.port}",)
    trusted = (ADDRESS,) if name == "haproxy" else ("unix",)
    config = Config(data=place.data, behind_proxy=True, addresses=addresses, trusted_proxies=trusted, **at)
    async with start_server(config):
        with (place.home / "told").open("wb") as out:
            running = await asyncio.create_subprocess_exec(
                proxy.program, *proxy.run, str(file), stdout=out, stderr=out, env=env
            )
        try:
            await until(lambda: listens(place.port))
            person = await Person("Handläggare Å").enrol(f"https://localhost:{place.port}", place.data)
            room = await person.create()
            await person.push(room, "Hej å ä ö 🙂")
            async with files_of(person, f"https://localhost:{place.port}", place.data) as files:
                assert (await files.put(room, b"1" * 16, bytes(100_000))).status_code == 201
            await person.wire.close()
            await check_old_tls_is_refused("localhost", place.port)
        finally:
            running.terminate()
            await asyncio.wait_for(running.wait(), 20)
    logs = [path for path in place.home.iterdir() if path.is_file() and path != file]
    written = "\n".join(path.read_text(errors="replace") for path in logs)
    assert room.hex() not in written
    assert "/v1/" not in written
