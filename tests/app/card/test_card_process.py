# SPDX-License-Identifier: EUPL-1.2
"""The process of the card: what a library or a card does wrong is an error with a code, and the PIN is given once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest

from app.card import reader as reading
from app.card.errors import (
    CardBusy,
    CardFault,
    CardGone,
    CardLocked,
    CardModuleFault,
    CardRefused,
    CardSlow,
    LastCardTry,
    NoCard,
    NoCardModule,
    WrongCard,
    WrongCardPin,
)
from app.card.frames import Login, Secret, Token, write
from app.card.reader import CardReader
from sync.crypto.card import OAEP, derive_key, encapsulate_for_card
from tests.patience import PATIENCE_S
from tests.soft_card import LABEL, PIN, SoftCard, needs_softhsm

NOBODY = Token(label="x", serial="1")


def use(reader: CardReader, pin: str | None = PIN) -> bytes:
    """Has the card in the reader give a secret back by its first key. Returns the difference: empty."""
    (token,) = reader.list_tokens()
    with reader.logged_in(token, pin) as talk:
        key = talk.list_keys()[0]
        made = encapsulate_for_card(key.public, key.methods[0])
        got = derive_key(key.public, made.blob, talk.unwrap(key.id, key.public, key.methods[0], made.blob))
        return b"" if got == made.key else got


# -- a real card ------------------------------------------------------------------------------------------------------


@needs_softhsm
def test_a_card_gives_secrets_back_by_each_kind_of_key(soft_card: SoftCard) -> None:
    soft_card.make("rsa", "p256", "p384", "p521")
    reader = soft_card.reader()
    (token,) = reader.list_tokens()
    assert token.name == LABEL
    tried = 0
    with reader.logged_in(token, PIN) as talk:
        for key in talk.list_keys():
            for method in key.methods:
                made = encapsulate_for_card(key.public, method)
                assert derive_key(key.public, made.blob, talk.unwrap(key.id, key.public, method, made.blob)) == made.key
                tried += 1
    assert tried == 5


@needs_softhsm
def test_a_wrong_pin_and_a_card_that_is_not_there_have_their_codes(soft_card: SoftCard) -> None:
    reader = soft_card.reader()
    assert reader.list_tokens() == ()
    with pytest.raises(NoCard), reader.logged_in(NOBODY, PIN):
        pass
    soft_card.make("rsa")
    with pytest.raises(WrongCard), reader.logged_in(NOBODY, PIN):
        pass
    with pytest.raises(WrongCardPin):
        use(reader, "0000")
    assert reader.list_tokens()[0].few
    assert use(reader) == b""
    assert not reader.list_tokens()[0].few
    (token,) = reader.list_tokens()
    with reader.logged_in(token, PIN) as talk:
        key = talk.list_keys()[0]
        with pytest.raises(WrongCard):
            talk.unwrap(b"other", key.public, OAEP, bytes(256))
        with pytest.raises(WrongCard):
            talk.unwrap(key.id, encapsulate_for_card(key.public, OAEP).blob, OAEP, bytes(256))
        with pytest.raises(CardRefused):
            talk.unwrap(key.id, key.public, OAEP, bytes(256))


# -- a library that fails ---------------------------------------------------------------------------------------------


@needs_softhsm
@pytest.mark.parametrize(
    ("mode", "pin", "fault", "logins"),
    [
        ("LOCKED", PIN, CardLocked, 0),
        ("LAST", "0000", LastCardTry, 1),
        ("LOCKS", "0000", CardLocked, 1),
        ("CRASH", PIN, CardModuleFault, 1),
        ("PULLED", PIN, CardGone, 1),
        ("HANG", PIN, CardSlow, 1),
    ],
)
def test_a_card_that_fails_is_asked_once_and_has_its_code(
    soft_card: SoftCard, mode: str, pin: str, fault: type[CardFault], logins: int
) -> None:
    soft_card.make("rsa")
    reader = soft_card.reader(soft_card.shim(mode), answer_s=1.0 if mode == "HANG" else 10.0)
    with pytest.raises(fault):
        use(reader, pin)
    assert (len(soft_card.tries.read_bytes()) if soft_card.tries.exists() else 0) == logins


@needs_softhsm
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says that nobody writes into a pipe any more")
def test_attack_a_program_that_was_ended_before_the_card_was_asked_gives_it_no_pin(soft_card: SoftCard) -> None:
    """The question was in the pipe already: the card was asked for somebody who had left, and a library that hung then
    kept it for ever."""
    soft_card.make("rsa")
    module = soft_card.shim("HANG")
    (token,) = soft_card.reader(module).list_tokens()
    asked = BytesIO()
    write(asked, Login(token=token, pin=PIN))
    process = subprocess.Popen([sys.executable, "-m", "app.card", module], stdin=subprocess.PIPE)
    try:
        process.communicate(asked.getvalue(), timeout=PATIENCE_S)  # closes the pipe, as the end of the program does
    finally:
        process.kill()
    assert not soft_card.tries.exists()


@needs_softhsm
@pytest.mark.parametrize(("mode", "ids"), [("BAD_LABEL", [1, 2]), ("BAD_TYPE", [2]), ("BAD_BOOLEAN", [1, 2])])
def test_a_key_that_cannot_be_read_hides_no_other(soft_card: SoftCard, mode: str, ids: list[int]) -> None:
    """A label in ISO 8859-1, a type of the maker's own, a yes or no of three bytes."""
    soft_card.make("rsa", "p256")
    reader = soft_card.reader(soft_card.shim(mode))
    (token,) = reader.list_tokens()
    with reader.logged_in(token, PIN) as talk:
        assert sorted(key.id for key in talk.list_keys()) == [bytes((each,)) for each in ids]


@needs_softhsm
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_process_that_the_library_has_started_does_not_keep_the_program_waiting(
    soft_card: SoftCard, is_stopped: bool
) -> None:
    """It holds the other end of the pipe, so the pipe does not end with the process of the card."""
    soft_card.make("rsa")
    module = soft_card.shim("FORK")
    reader = soft_card.reader(module, answer_s=100.0 if is_stopped else 1.0)
    faults: list[CardFault] = []

    def ask() -> None:
        with pytest.raises(CardFault) as caught:
            use(reader)
        faults.append(caught.value)

    asking = threading.Thread(target=ask, daemon=True)
    try:
        asking.start()
        _wait_until(lambda: len(_processes_with(module)) > 1)
        if is_stopped:
            reader.stop()
        asking.join(PATIENCE_S)
        assert [type(fault) for fault in faults] == [CardModuleFault if is_stopped else CardSlow]
        assert not reader.is_used
        reader.allow()
        assert reader.list_tokens()
    finally:
        for pid in _processes_with(module):
            os.kill(pid, signal.SIGKILL)
        _wait_until(lambda: not any(each.name.startswith("card") for each in threading.enumerate()))


def _processes_with(argument: str) -> list[int]:
    """The processes that were started with this argument, and their forks."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if argument.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def _wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@needs_softhsm
def test_a_library_that_writes_to_the_standard_output_answers_nothing(soft_card: SoftCard) -> None:
    soft_card.make("rsa")
    assert use(soft_card.reader(soft_card.shim("NOISY"))) == b""


@needs_softhsm
def test_at_a_pin_pad_the_program_gives_no_pin(soft_card: SoftCard) -> None:
    soft_card.make("rsa")
    reader = soft_card.reader(soft_card.shim("PAD"))
    assert reader.list_tokens()[0].pin_pad
    assert use(reader, None) == b""
    assert soft_card.tries.read_bytes() == b"x"


@needs_softhsm
def test_attack_a_card_that_needs_no_pin_is_none(soft_card: SoftCard) -> None:
    """Otherwise a card that anybody can use would lift the curtain."""
    soft_card.make("rsa")
    assert soft_card.reader(soft_card.shim("OPEN")).list_tokens() == ()


def test_what_is_no_library_says_so(tmp_path: Path) -> None:
    text = tmp_path / "library.so"
    text.write_text("no library", encoding="utf-8")
    for path in (text, tmp_path / "missing.so", Path(sys.executable)):
        with pytest.raises(CardModuleFault):
            CardReader(lambda path=path: str(path)).list_tokens()  # type: ignore[misc]


def test_without_a_library_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "system_module", lambda: "")
    reader = CardReader()
    assert reader.module == ""
    with pytest.raises(NoCardModule):
        reader.list_tokens()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has p11-kit")
def test_the_systems_library_is_one_for_this_program(tmp_path: Path) -> None:
    """A computer may have p11-kit for 32-bit programs too, which this one cannot load."""
    ours = Path(sys.executable).read_bytes()[:64]
    others = ours[:18] + b"\x03\x00" + ours[20:]  # e_machine: i386
    for folder, header in (("a-linux-gnu", others), ("b-linux-gnu", ours), ("c-linux-gnu", others)):
        made = tmp_path / "lib" / folder / "p11-kit-proxy.so"
        made.parent.mkdir(parents=True)
        made.write_bytes(header)
    (tmp_path / "lib" / "p11-kit-proxy.so").write_bytes(b"")
    right = tmp_path / "lib" / "b-linux-gnu" / "p11-kit-proxy.so"
    assert reading.system_module(tmp_path) == str(right)
    right.unlink()
    assert reading.system_module(tmp_path) == ""


# -- a process that fails ---------------------------------------------------------------------------------------------


def stand_in(code: str, *, answer_s: float = 10.0) -> CardReader:
    """A reader whose process is this piece of Python."""
    return CardReader(lambda: "x", command=[sys.executable, "-S", "-c", code], answer_s=answer_s)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "nonsense\\n",
        '{\\"type\\":\\"Done\\"}\\n',
        '{\\"type\\":\\"Tokens\\",\\"found\\":[{}]}\\n',
        '{\\"type\\":\\"Failed\\",\\"code\\":\\"' + "x" * 99 + '\\"}\\n',
        '{\\"type\\":\\"Failed\\",\\"code\\":\\"unknown\\"}\\n',
        "\\xff\\n",
        '{\\"a\\":' * 10_000,
    ],
)
def test_a_process_that_answers_nonsense_is_a_fault(answer: str) -> None:
    with pytest.raises(CardModuleFault):
        stand_in(f'import sys; sys.stdin.readline(); sys.stdout.buffer.write(b"{answer}")').list_tokens()


def test_a_command_that_cannot_be_started_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CardModuleFault):
        CardReader(lambda: "x", command=[str(tmp_path / "missing")]).list_tokens()


def test_a_process_that_hangs_can_be_stopped_and_only_one_conversation_is_held() -> None:
    reader = stand_in("import os, sys; sys.stdin.readline(); os.close(1); sys.stdin.readline()")
    hanging = stand_in("import sys\nwhile True: sys.stdin.readline() or sys.exit()")
    faults: list[CardFault] = []
    asked = threading.Event()

    def ask() -> None:
        with hanging._conversation() as talk:
            asked.set()
            try:
                talk.list_tokens()
            except CardFault as fault:
                faults.append(fault)

    thread = threading.Thread(target=ask)
    thread.start()
    asked.wait(PATIENCE_S)
    with pytest.raises(CardBusy):
        hanging.list_tokens()
    hanging.stop()
    thread.join(PATIENCE_S)
    assert [fault.code for fault in faults] == ["card-module"]
    with pytest.raises(CardModuleFault):
        reader.list_tokens()


def test_what_was_called_off_before_it_began_does_not_begin() -> None:
    answering = stand_in(
        'import sys; sys.stdin.readline(); print("{\\"type\\":\\"Tokens\\",\\"found\\":[]}", flush=True)'
    )
    answering.allow()
    answering.stop()
    with pytest.raises(CardModuleFault):
        answering.list_tokens()
    answering.allow()
    assert answering.list_tokens() == ()


def test_the_process_gets_no_key_of_the_environment_and_no_pin_among_its_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KANSLI_RAW_KEY", "00" * 32)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    started: list[tuple[list[str], dict[str, str]]] = []
    popen = subprocess.Popen

    def noted(command: list[str], **given: object) -> object:
        started.append((command, given["env"]))  # type: ignore[arg-type]
        return popen(command, **given)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", noted)
    with pytest.raises(CardModuleFault), CardReader(lambda: "x").logged_in(NOBODY, PIN):
        pass
    ((command, environment),) = started
    assert not any(PIN in word for word in (*command, *environment.values()))
    assert not {"KANSLI_RAW_KEY", "HTTPS_PROXY", "LD_PRELOAD", "LD_LIBRARY_PATH"} & set(environment)


def test_neither_pin_nor_secret_is_in_the_representation_of_a_message() -> None:
    assert PIN not in repr(Login(token=NOBODY, pin=PIN))
    assert "s" * 32 not in repr(Secret(data=b"s" * 32))
