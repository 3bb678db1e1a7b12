# SPDX-License-Identifier: EUPL-1.2
"""The program's side of a smart card: which library is used, and the process that loads it.

`list_tokens`, `logged_in` and every method of a Conversation block: call them in a thread. There is one conversation
with a card at a time.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, TypeVar, cast

from app.card.errors import BY_CODE, CardBusy, CardFault, CardModuleFault, CardSlow, NoCardModule
from app.card.frames import (
    Answer,
    Done,
    Failed,
    GetKeys,
    GetTokens,
    Key,
    Keys,
    Login,
    Question,
    Secret,
    Token,
    Tokens,
    Unwrap,
    read_answer,
    write,
)
from app.core import log

A = TypeVar("A", bound=Answer)

ANSWER_S, PERSON_S = 10.0, 60.0
"""Longest waits for an answer, in seconds: of a library and its card, and of a person at a PIN pad."""
_END_S = 1.0
OPTION = "--card"
_ROOT = Path(__file__).parents[2]
_PROXIES = ("p11-kit-proxy.so", "libp11-kit.so.0")
"""p11-kit's proxy, which loads the libraries that are registered on the computer; both names are one file."""
_KEPT = (
    "SYSTEMROOT", "WINDIR", "PROGRAMFILES", "PROGRAMDATA", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "PATH", "LANG",
    "HOME", "TEMP", "TMP", "XDG_RUNTIME_DIR", "PCSCLITE_CSOCK_NAME", "SOFTHSM2_CONF", "PYTHONPYCACHEPREFIX",
)  # fmt: skip
"""The environment variables that libraries for cards need. The process does not get the others, such as those with keys
and proxies."""


class CardReader:
    """Uses the smart cards of this computer. `named` returns the path of the library that policy names, "" for none.
    Each conversation starts a process and ends it. CardBusy for a conversation while another is under way, in any
    thread."""

    def __init__(
        self,
        named: Callable[[], str] = lambda: "",
        *,
        command: Sequence[str] | None = None,
        answer_s: float = ANSWER_S,
        person_s: float = PERSON_S,
    ) -> None:
        """Tests give the rest. `command`: starts the process in place of this program's own. `answer_s` and `person_s`:
        in place of ANSWER_S and PERSON_S."""
        self._named, self._command = named, command
        self._answer_s, self._person_s = answer_s, person_s
        self._busy = threading.Lock()
        self._talk: Conversation | None = None
        self._is_stopped = False
        """Whether the conversation that was allowed last is called off; it may not have begun yet."""

    @property
    def module(self) -> str:
        """The path of the library: the one that policy names, otherwise `system_module`; "" if there is none. ▲ A
        person cannot choose it. Otherwise native code that somebody gave them would run with their rights."""
        return self._named() or system_module()

    @property
    def is_used(self) -> bool:
        """Whether a conversation with a card is under way."""
        return self._busy.locked()

    def list_tokens(self) -> Sequence[Token]:
        """The cards that are in readers now, without those that need no PIN. Asks nobody for a PIN. CardFault."""
        with self._conversation() as talk:
            return talk.list_tokens()

    @contextmanager
    def logged_in(self, token: Token, pin: str | None) -> Iterator["Conversation"]:
        """A context with a conversation with the card `token`, which was given `pin`; None: the person has typed it at
        the PIN pad. The card gets the PIN once at most, and is logged out at the end. CardFault."""
        with self._conversation() as talk:
            talk.login(token, pin)
            yield talk

    def allow(self) -> None:
        """Takes back a `stop`, so that the next conversation is not ended. Call it before the thread of that
        conversation is started. In the thread it could take back a `stop` that was meant for this conversation."""
        self._is_stopped = False

    def stop(self) -> None:
        """Kills the process of the conversation that is under way, or of one that was allowed and has not begun yet.
        The thread of the conversation gets CardModuleFault. May be called from any thread."""
        self._is_stopped = True  # before the conversation is looked for: the other thread does it the other way round
        talk = self._talk
        if talk is not None:
            talk.stop()

    @contextmanager
    def _conversation(self) -> Iterator["Conversation"]:
        module = self.module
        if not module:
            raise NoCardModule
        if not self._busy.acquire(blocking=False):
            raise CardBusy
        try:
            talk = self._talk = Conversation(self._start(module), self._answer_s, self._person_s)
            if self._is_stopped:
                talk.stop()
            try:
                yield talk
            finally:
                self._talk = None
                talk.end()
        finally:
            self._busy.release()

    def _start(self, module: str) -> "subprocess.Popen[bytes]":
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        frozen = getattr(sys, "frozen", False)
        command = [sys.executable, *((OPTION,) if frozen else ("-m", "app.card"))]
        try:
            return subprocess.Popen(  # noqa: S603 - ourselves
                [*(self._command or command), module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept if frozen else {**kept, "PYTHONPATH": str(_ROOT)},
                close_fds=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as e:
            log.store.error("card-process")
            raise CardModuleFault from e


class Conversation:
    """Asks one process that uses the library. `answer_s` and `person_s`: how long it may take to answer, and a person
    at a PIN pad, before it is killed (CardSlow). Use it only within the context that returned it, in one thread."""

    def __init__(self, process: "subprocess.Popen[bytes]", answer_s: float, person_s: float) -> None:
        self._process, self._answer_s, self._person_s = process, answer_s, person_s
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()
        """What came of the last question; None for nonsense, or if the process has ended or the conversation is
        stopped."""
        self._asking: threading.Thread | None = None

    def stop(self) -> None:
        """Kills the process. A question that waits for its answer gets a CardFault. Any thread."""
        self._process.kill()
        self._answers.put(None)

    def end(self) -> None:
        """Closes the input of the process, which then logs out of the card and ends; kills it if that takes long, or if
        it has a question that nobody waits for any more."""
        asking = self._asking
        if asking is not None and asking.is_alive():
            self._process.kill()
            self._process.wait()
            asking.join(_END_S)  # it reads that the pipe has ended
        if asking is None or not asking.is_alive():
            self._close_pipes()
        else:  # closing a pipe waits for the thread that reads it
            threading.Thread(target=self._close_later, args=(asking,), name="card-end", daemon=True).start()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _close_later(self, asking: threading.Thread) -> None:
        asking.join()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what is left in its buffer, which a dead process does not read
                    pipe.close()

    def list_tokens(self) -> Sequence[Token]:
        """See `CardReader.list_tokens`."""
        return self._ask(GetTokens(), Tokens, self._answer_s).found

    def login(self, token: Token, pin: str | None) -> None:
        """Gives the card its PIN; None: the person types it at the PIN pad. CardFault."""
        self._ask(Login(token=token, pin=pin), Done, self._answer_s if pin is not None else self._person_s)

    def list_keys(self) -> Sequence[Key]:
        """The keys of the card that Kansli can use, at most MOST_KEYS. Call it after `login`. CardFault."""
        return self._ask(GetKeys(), Keys, self._answer_s).found

    def unwrap(self, key_id: bytes, public: bytes, method: int, blob: bytes) -> bytes:
        """Has the card's private key `key_id` decrypt `blob`, or agree on a secret with it, by a method of
        sync/crypto/card.py. Returns the secret, 32 to 66 bytes, for `derive_key` there. Call it after `login`.
        WrongCard if the card has no such key for the public key `public`; CardFault."""
        return self._ask(Unwrap(key_id=key_id, public=public, method=method, blob=blob), Secret, self._answer_s).data

    def _ask(self, question: Question, kind: type[A], limit_s: float) -> A:
        """▲ The process is killed if it does not answer in time. Any answer but one of the class `kind` is a fault. ▲
        The pipe is read in a thread of its own. Otherwise a process that the library has started, and that holds the
        other end of the pipe, would keep this one waiting after the process of the card was killed."""
        self._asking = threading.Thread(target=self._exchange, args=(question,), name="card", daemon=True)
        self._asking.start()
        try:
            answer = self._answers.get(timeout=limit_s)
        except Empty:
            self._process.kill()
            raise self._fault(None, is_late=True) from None
        if isinstance(answer, kind):
            return answer
        raise self._fault(answer, is_late=False)

    def _exchange(self, question: Question) -> None:
        try:
            write(cast("BinaryIO", self._process.stdin), question)
            answer = read_answer(cast("BinaryIO", self._process.stdout))
        except (OSError, ValueError):
            answer = None
        self._answers.put(answer)

    def _fault(self, answer: Answer | None, *, is_late: bool) -> CardFault:
        if is_late:
            fault: CardFault = CardSlow()
        elif isinstance(answer, Failed):
            fault = BY_CODE.get(answer.code, CardModuleFault)()
        else:
            fault = CardModuleFault()
        log.store.warning("card", code=str(fault.code))
        return fault


def system_module(root: Path = Path("/usr")) -> str:
    """The path of the system's own library for smart cards: on Linux p11-kit's proxy; "" if it is not installed, and
    always on Windows, where each maker's library has a place of its own. `root`: where a test has put libraries."""
    if sys.platform != "linux":
        return ""
    folders = (*(root / "lib").glob("*-linux-gnu*"), root / "lib64", root / "lib")
    found = (folder / name for name in _PROXIES for folder in folders)
    ours = _machine(Path("/proc/self/exe"))
    return next((str(path) for path in found if path.is_file() and _machine(path) == ours), "")


def _machine(path: Path) -> bytes:
    """The word size, byte order and processor that a program or library is for, from its ELF header. A computer may
    have p11-kit for 32-bit programs too. b"" if it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        header = file.read(20)
        return header[4:6] + header[18:20]
    return b""
