# SPDX-License-Identifier: EUPL-1.2
"""Another program reads what ours wrote: tests/vectors/sync-1-*.json, with nothing of sync/.

The reader beside this file is written from sync/PROTOCOL.md, sync/crypto/CRYPTO.md and app/objects/FORMAT.md alone, on
`cryptography` and cbor2. These tests fail where the pages are not enough to write a client. People's logs are read in
test_people.py, rooms in test_rooms.py.
"""

import ast
import sys

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.reader import merkle, rooms
from tests.reader.primitives import KDF, H, KemKey, Refused, aead_open, dec, enc, sign, signing_pk, verify
from tests.reader.vectors import HERE, load, raw, shown

MINE = {"cryptography", "cbor2", "pytest"}


def test_the_reader_imports_nothing_of_ours() -> None:
    for path in sorted(HERE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                known = top in MINE or top in sys.stdlib_module_names or name.startswith("tests.reader")
                assert known, f"{path.name} imports {name}"


# -- CRYPTO.md


def test_values_have_one_encoding() -> None:
    vector = load("encoding")
    for case in vector["good"]:
        assert enc(shown(case["value"])) == raw(case["hex"])
        assert dec(raw(case["hex"])) == shown(case["value"])
    for case in vector["refused"]:
        with pytest.raises(Refused):
            dec(raw(case["hex"]))


def test_hashes_keys_and_signatures() -> None:
    vector = load("primitives")
    for case in vector["hash"]:
        assert H(*map(raw, case["parts"])).hex() == case["hex"]
    for case in vector["kdf"]:
        assert KDF(raw(case["key"]), case["label"], *shown(case["context"])).hex() == case["hex"]
    v = vector["signature"]
    assert signing_pk(raw(v["seed"])).hex() == v["public"]
    assert sign(raw(v["seed"]), v["domain"], shown(v["message"])).hex() == v["sig"]


def test_what_is_sealed_opens() -> None:
    vector = load("primitives")
    v = vector["aead"]
    assert aead_open(raw(v["key"]), shown(v["context"]), raw(v["sealed"])).hex() == v["plaintext"]
    v = vector["seal"]
    key = KemKey(raw(v["seed"]))
    assert key.public.hex() == v["public"]
    assert key.open(raw(v["info"]), raw(v["sealed"])).hex() == v["message"]
    with pytest.raises(Refused):
        key.open(b"another", raw(v["sealed"]))


def test_a_passphrase_gives_its_key() -> None:
    v = load("primitives")["passphrase"]
    derived = Argon2id(
        salt=raw(v["salt"]), length=32, iterations=v["passes"], lanes=v["lanes"], memory_cost=v["memory_kib"]
    ).derive(v["text"].encode())
    assert derived.hex() == v["hex"]


# -- PROTOCOL.md §7 to §10: pieces


def test_padding_packing_trees_and_shares() -> None:
    vector = load("pieces")
    assert [[n, rooms.padded_size(n)] for n, _ in vector["padding"]] == vector["padding"]
    assert rooms.unpad(raw(vector["padded"])).decode() == "Åtgärd 🙂"
    assert dec(raw(vector["pack"]["hex"])) == [[raw(c), raw(d)] for c, d in vector["pack"]["changes"]]
    for case in vector["merkle"]:
        assert merkle.root([raw(x) for x in case["leaves"]]).hex() == case["root"]
    room = raw(vector["room"])
    assert H("root-share", room).hex() == vector["root_share"]
    assert H("share", room, b"O" * 16, raw(vector["share"]["share"])).hex() == vector["share"]["share_c"]


def test_an_ephemeral_message_and_a_file() -> None:
    vector = load("pieces")
    room = raw(vector["room"])
    for v in (vector["ephemeral"], vector["ephemeral_to"]):
        context, payload = rooms.open_ephemeral(
            room, raw(v["body"]), raw(v["sig"]), raw(v["ct"]), raw(v["sign_pk"]), raw(v["k"])
        )
        assert payload.decode() == v["payload"]
        assert (context[2], context[3].hex(), context[4].hex()) == (v["epoch"], v["uid"], v["dev"])
        assert (context[8], context[9].hex()) == (v["kind"], v["to"])
    version, size, parts = dec(raw(vector["blob"]["manifest"]))
    opened = [rooms.decrypt_part(room, part, raw(ct)) for part, ct in zip(parts, vector["blob"]["parts"], strict=True)]
    assert version == 1
    assert size == sum(map(len, opened))
    assert [o.hex() for o in opened] == vector["blob"]["plain"]


def test_a_proof_and_a_claim() -> None:
    vector = load("proof")
    version, room, n, rh, t, sig, cert, cert_sig = dec(raw(vector["proof"]))
    verify(raw(vector["agency_pk"]), "server", cert, cert_sig)
    server, _until = dec(cert)
    verify(server, "receipt", [room, n, rh, t], sig)
    assert (version, room.hex(), n, rh.hex(), t) == (1, vector["room"], vector["n"], vector["rh"], vector["t"])
    version, content = dec(raw(vector["claim"]))
    assert (version, [(n, bool(sig)) for n, _t, _kind, _body, sig in content]) == (1, [(42, False), (43, True)])
