# SPDX-License-Identifier: EUPL-1.2
"""PROTOCOL.md and CRYPTO.md are up to date with the code: they have every frame, field, code, type, kind and domain."""

import re
from pathlib import Path

import msgspec
import pytest

from sync.protocol import messages
from sync.trust.person import user_entry
from sync.trust.room import payload_reading

SYNC = Path(__file__).parents[3] / "sync"
PROTOCOL = (SYNC / "PROTOCOL.md").read_text(encoding="utf-8")
CRYPTO = (SYNC / "crypto" / "CRYPTO.md").read_text(encoding="utf-8")
WIRE = PROTOCOL[PROTOCOL.index("## 11. Wire") : PROTOCOL.index("## 12. Codes")]

FRAMES = [
    f
    for f in vars(messages).values()
    if isinstance(f, type) and issubclass(f, messages.Frame) and f is not messages.Frame
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f.__name__)
def test_every_frame_stands_in_the_document_with_its_fields_in_order(frame: type[messages.Frame]) -> None:
    info = msgspec.inspect.type_info(frame)
    assert isinstance(info, msgspec.inspect.StructType)
    found = re.search(rf"\*\*{info.tag}\*\*([^|·]*)", WIRE)
    assert found, f"PROTOCOL.md says nothing of the frame {info.tag}"
    named = re.findall(r"[a-z][a-z_]*", re.sub(r"\[[^\]]*\]|\([^)]*\)|;.*|\. .*", " ", found[1]))
    assert named[: len(info.fields)] == [f.name for f in info.fields]


@pytest.mark.parametrize("code", list(messages.ErrorCode))
def test_every_error_code_stands_in_the_document(code: messages.ErrorCode) -> None:
    assert re.search(rf"\b{code.value}\b", WIRE)


def test_every_entry_type_stands_in_the_document() -> None:
    for name in (*user_entry.TYPES, *payload_reading.READ):
        assert f"| `{name}` |" in PROTOCOL, name


def test_every_signature_domain_stands_in_the_document() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in SYNC.rglob("*.py"))
    domains = set(re.findall(r'(?:sign|verify)\((?:[\w.]+, )?"([a-z-]+)"', source))
    domains |= set(re.findall(r'^DOMAIN = "([a-z-]+)"', source, re.MULTILINE))
    assert domains
    for domain in domains:
        assert f"`{domain}`" in CRYPTO, domain


def test_every_code_of_a_reject_or_verdict_stands_in_the_document() -> None:
    trust = "".join(p.read_text(encoding="utf-8") for p in (SYNC / "trust").rglob("*.py"))
    crypto = "".join(p.read_text(encoding="utf-8") for p in (SYNC / "crypto").glob("*.py"))
    codes = set(re.findall(r'Reject\(\s*"([a-z0-9-]+)"', trust + crypto))
    room = SYNC / "trust" / "room"
    rules = "".join((room / name).read_text(encoding="utf-8") for name in ("additions.py", "entry_rules.py"))
    codes |= set(re.findall(r'return "([a-z-]+)"', rules))
    section = PROTOCOL[PROTOCOL.index("## 12. Codes") : PROTOCOL.index("## 13.")]
    missing = {c for c in codes if not re.search(rf"(?<![\w-]){c}(?![\w-])", section)}
    assert not missing
