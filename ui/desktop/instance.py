# SPDX-License-Identifier: EUPL-1.2
"""One instance for each profile and session: a second start sends the first one what it was given, and ends.

The profile's lock decides which instance is first. This module is only the line between the two: a socket in the user's
runtime folder, or a named pipe, whose name no other user can guess. Both ends prove that they can read the profile's
folder before a text is sent (an invitation's code may be in it). No port, and nothing that two users of one computer
share.

    client  nonce 32
    server  nonce 32 ‖ MAC("server" ‖ client's ‖ server's)
    client  MAC("client" ‖ server's ‖ client's ‖ text) ‖ length of the text 2 (big endian) ‖ text, UTF-8
    server  "k"
"""

import hashlib
import hmac
import os
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.core import log

if sys.platform == "win32":
    import ctypes

MAX_BYTES = 4096
"""The longest text: the longest link of ours has 512 characters, an activation token about 100."""
MAX_CALLERS = 8
ANSWER_MS = 2000
_NONCE, _MAC = 32, 32
_PATH_BYTES = 100
"""The longest path of a socket; 106 was the longest at which Qt listened."""


def line_name(profile_id: bytes, folder: Path, environment: Mapping[str, str]) -> str:
    """Where the running instance of this profile and desktop session listens for other starts: a path, or a pipe's name
    on Windows; "" if there is no safe place, or its path is too long for a socket.

    `folder`: the profile's own, used where the user has no runtime folder.
    """
    name = (
        "kansli-" + hashlib.sha256(b"\0".join((b"line", profile_id, _session(environment).encode()))).hexdigest()[:24]
    )
    if sys.platform == "win32":
        return name
    for place in (environment.get("XDG_RUNTIME_DIR"), str(folder)):
        path = f"{place}/{name}"
        if place and _is_ours(Path(place)) and len(os.fsencode(path)) <= _PATH_BYTES:
            return path
    return ""


def _session(environment: Mapping[str, str]) -> str:
    """Text that identifies the desktop session of this process: the display of its windows, from the environment ("" if
    none is named), or the session's number on Windows. Another session of the same user is no place to bring a window
    to the front."""
    if sys.platform == "win32":
        number = ctypes.c_ulong()
        ctypes.windll.kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(number))
        return str(number.value)
    return environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY", "").split(".")[0]


def _is_ours(folder: Path) -> bool:
    """Whether `folder` exists, belongs to this user, and by its mode only they can write to it. On Windows only whether
    it exists."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return folder.is_dir() and (sys.platform == "win32" or (found.st_uid == os.getuid() and not found.st_mode & 0o022))


def _key(profile_id: bytes) -> bytes:
    return hashlib.sha256(b"kansli-line-key\0" + profile_id).digest()


def _mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


class Instance(QObject):
    """Listens at `name` for other starts of the program with this profile: `called` is emitted with the text that each
    sends. It listens to nothing, and logs that, if `name` is "" or cannot be used. Hold the profile's lock before: a
    socket that a killed process left behind is removed."""

    called = Signal(str)
    """Another start, with what it was given."""

    def __init__(self, name: str, profile_id: bytes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._key_ = _key(profile_id)
        self._callers: set[_Caller] = set()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        if name:
            QLocalServer.removeServer(name)
        if not name or not self._server.listen(name):
            log.ui.warning("no-instance-line")

    @property
    def listening(self) -> bool:
        """Whether a second start finds this instance. If not, the second start shows that the profile is in use."""
        return self._server.isListening()

    def close(self) -> None:
        """Stops listening for other starts of the program, and ends the connections of those that are calling."""
        self._server.close()
        for caller in list(self._callers):
            caller.end()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= MAX_CALLERS:
                socket.abort()
                socket.deleteLater()
                continue
            self._callers.add(_Caller(socket, self._key_, self.called.emit, self._callers.discard))


class _Caller:
    """One connection to the running instance: from another start of Kansli, or from any program that found the socket.
    `received` is called with a text whose sender has proved that it can read the profile, `over` at the end. The
    connection ends after one text, a wrong proof or ANSWER_MS."""

    def __init__(
        self, socket: QLocalSocket, key: bytes, received: Callable[[str], None], over: Callable[["_Caller"], None]
    ) -> None:
        self._socket, self._key_, self._received, self._over = socket, key, received, over
        self._unread = b""
        self._theirs = b""
        self._ours = os.urandom(_NONCE)
        self._ended = False
        socket.readyRead.connect(self._on_bytes)
        socket.disconnected.connect(self.end)
        QTimer.singleShot(ANSWER_MS, socket, self.end)

    def end(self) -> None:
        """Ends this connection, on which another start of the program calls the running one: calls `over`, and closes
        the local socket. A second call changes nothing."""
        if not self._ended:
            self._ended = True
            self._over(self)
            self._socket.abort()
            self._socket.deleteLater()

    def _on_bytes(self) -> None:
        if self._ended:
            return
        left = _NONCE + _MAC + 2 + MAX_BYTES - len(self._unread)
        self._unread += bytes(self._socket.read(left + 1).data())
        if len(self._unread) > _NONCE + _MAC + 2 + MAX_BYTES:
            self.end()
            return
        if not self._theirs and len(self._unread) >= _NONCE:
            self._theirs, self._unread = self._unread[:_NONCE], self._unread[_NONCE:]
            self._socket.write(self._ours + _mac(self._key_, b"server", self._theirs, self._ours))
        if self._theirs and len(self._unread) >= _MAC + 2:
            self._take(self._unread)

    def _take(self, received: bytes) -> None:
        mac, length = received[:_MAC], struct.unpack(">H", received[_MAC : _MAC + 2])[0]
        text = received[_MAC + 2 :]
        if len(text) < length <= MAX_BYTES:
            return
        expected = _mac(self._key_, b"client", self._ours, self._theirs, text)
        if len(text) != length or not hmac.compare_digest(mac, expected):
            log.ui.warning("instance-line-refused")
            self.end()
            return
        self._socket.write(b"k")
        self._socket.flush()
        self._socket.disconnectFromServer()
        self._received(text.decode(errors="replace"))


def hand_over(name: str, profile_id: bytes, text: str, wait_ms: int = ANSWER_MS) -> bool:
    """Sends `text`, cut to MAX_BYTES, to the running instance that listens at `name`. Returns whether it was taken;
    False if no instance of this profile answers. Blocks for `wait_ms` at most a few times; called before there is an
    event loop."""
    key, ours, message = _key(profile_id), os.urandom(_NONCE), text.encode(errors="replace")[:MAX_BYTES]
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not name or not socket.waitForConnected(wait_ms):
        return False
    socket.write(ours)
    answer = _read(socket, _NONCE + _MAC, wait_ms)
    theirs, proof = answer[:_NONCE], answer[_NONCE:]
    if not hmac.compare_digest(proof, _mac(key, b"server", ours, theirs)):
        return False
    if sys.platform == "win32":  # the one that a person just started may pass on its right to come to the front
        ctypes.windll.user32.AllowSetForegroundWindow(ctypes.c_ulong(0xFFFFFFFF))
    socket.write(_mac(key, b"client", theirs, ours, message) + struct.pack(">H", len(message)) + message)
    return _read(socket, 1, wait_ms) == b"k"


def _read(socket: QLocalSocket, count: int, wait_ms: int) -> bytes:
    """Reads `count` bytes; fewer if nothing is received for `wait_ms`, or the connection ends."""
    found = b""
    while len(found) < count:
        if not socket.bytesAvailable() and not socket.waitForReadyRead(wait_ms):
            return found
        found += bytes(socket.read(count - len(found)).data())
    return found
