# SPDX-License-Identifier: EUPL-1.2
"""Only `sync/client/wire/egress.py` opens connections: nothing else in the client imports or calls what could."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EGRESS = "sync/client/wire/egress.py"
NETWORK = {
    "httpx", "httpcore", "requests", "aiohttp", "urllib3", "websockets", "h11", "ssl", "truststore", "urllib.request",
    "http.client", "ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc", "socketserver", "uvicorn",
    "multiprocessing.connection", "PySide6.QtWebSockets", "PySide6.QtWebEngineCore", "PySide6.QtWebEngineWidgets",
}  # fmt: skip
"""Modules with which one reaches other machines."""
CALLS = {
    "open_connection", "create_connection", "create_datagram_endpoint", "open_unix_connection", "getaddrinfo",
    "create_unix_connection", "sock_connect", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo",
    "create_server", "start_server", "start_tls", "connect_ex", "setApplicationProxy",
}  # fmt: skip
BY_NAME = {"__import__", "import_module", "Later"}
LATER = "app/core/later.py"
WHOLE = {"PySide6.QtNetwork", "urllib", "http"}
SOCKET = {"ui/signals.py": {"socketpair"}, "app/core/machine.py": {"gethostname"}}
"""What is used of the module `socket`, and where: a pair within the process, and the machine's own name."""
QT = {
    "QLocalServer",
    "QLocalSocket",
    "QNetworkInformation",
    "QNetworkProxy",
    "QNetworkProxyFactory",
    "QNetworkProxyQuery",
}
"""What is used of QtNetwork: the line between two starts, whether there is a network, and the system's proxies."""
DBUS = {
    "ui/kit/bus.py",
    "ui/shell/window/freedesktop.py",
    "ui/desktop/power_linux.py",
    "ui/desktop/delaying.py",
    "ui/desktop/idle_linux.py",
}
"""Who talks to the desktop's own services, over sockets in the file system."""


def client() -> list[Path]:
    """Every file that is in the client's process."""
    found = [path for part in ("app", "ui", "sync", "resources") for path in sorted((ROOT / part).rglob("*.py"))]
    return [path for path in found if "server" not in path.relative_to(ROOT).parts]


def reaches_out(name: str, tree: ast.AST) -> list[str]:
    """What in a file could open a connection."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [n.name for n in names if _is_network(n.name) or _dbus(name, n.name) or n.name in WHOLE]
                found += ["socket" for n in names if n.name == "socket" and name not in SOCKET]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                whole = [f"{module}.{n.name}" for n in names]
                found += [n for n in whole if _is_network(n) or _dbus(name, n) or n.startswith("socket.")]
                found += [n for n in whole if n.startswith("PySide6.QtNetwork.") and n.split(".")[2] not in QT]
                found += ["PySide6.QtNetwork" for n in whole if n == "PySide6.QtNetwork"]
            case ast.Call(func=ast.Attribute(attr=attr) | ast.Name(id=attr)) if attr in CALLS:
                found.append(attr)
            case ast.Attribute(value=ast.Name(id="socket"), attr=attr) if name in SOCKET and attr not in SOCKET[name]:
                found += [f"socket.{attr}"] if attr != "socket" else []
            case ast.Call(func=ast.Name(id=how) | ast.Attribute(attr=how), args=[arg, *_]) if how in BY_NAME:
                meant = str(arg.value) if isinstance(arg, ast.Constant) else None
                if _is_network(meant or "") or (meant is None and name != LATER):
                    found.append(f"{how}({meant})")
    return found


def _is_network(module: str) -> bool:
    return any(module == known or module.startswith(f"{known}.") for known in NETWORK)


def _dbus(name: str, module: str) -> bool:
    return module.split(".")[0] in ("jeepney", "secretstorage", "dbus") and name not in DBUS


def test_nothing_else_can_open_a_connection() -> None:
    wrong = {}
    for path in client():
        name = path.relative_to(ROOT).as_posix()
        found = reaches_out(name, ast.parse(path.read_text(encoding="utf-8")))
        if found and name != EGRESS:
            wrong[name] = found
    assert wrong == {}


def test_the_one_place_is_seen_by_the_same_eyes() -> None:
    tree = ast.parse((ROOT / EGRESS).read_text(encoding="utf-8"))
    assert {"httpx", "ssl", "truststore", "websockets.asyncio.client.connect"} <= set(reaches_out("x.py", tree))


@pytest.mark.parametrize(
    "source",
    [
        "import httpx",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import socket\nsocket.socket().connect(x)",
        "from socket import create_connection",
        "import asyncio\nawait asyncio.open_connection('a', 1)",
        "loop.create_connection(f, 'a', 1)",
        "from PySide6.QtNetwork import QNetworkAccessManager",
        "from PySide6.QtNetwork import QTcpSocket",
        "from PySide6 import QtNetwork",
        "import PySide6.QtNetwork",
        "import ssl",
        "from http import client",
        "import http.client",
        "from jeepney import new_method_call",
        "Later('httpx')",
        "importlib.import_module('httpx')",
        "importlib.import_module(name)",
        "__import__('httpx')",
    ],
)
def test_what_opens_a_connection_is_seen(source: str) -> None:
    assert reaches_out("ui/chat/view.py", ast.parse(source))


@pytest.mark.parametrize(
    "source",
    ["from http import HTTPStatus", "from urllib.parse import urlsplit", "from PySide6.QtNetwork import QLocalSocket"],
)
def test_what_opens_none_is_let_be(source: str) -> None:
    assert reaches_out("ui/chat/view.py", ast.parse(source)) == []
