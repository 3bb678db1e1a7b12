# SPDX-License-Identifier: EUPL-1.2
"""The tree head of an epoch's seals is the one of RFC 9162: against transparency-dev's cases (tests/vectors/merkle).

The protocol carries no proofs, so sync/ checks none. The published cases are checked by the reader's proofs
(tests/reader), and those proofs by our tree heads, of every size up to 70.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sync.trust.keys import merkle
from tests.reader import merkle as proofs
from tests.reader.primitives import Refused

FOLDER = Path(__file__).parents[2] / "vectors/merkle"
LEAVES = [bytes((i,)) * (i % 5) for i in range(70)]


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def holds(check: Any, *args: object) -> bool:
    try:
        check(*args)
    except Refused:
        return False
    return True


def b64(values: Any) -> list[bytes]:
    return [base64.b64decode(v) for v in values or []]


def test_the_published_trees_have_our_tree_heads() -> None:
    trees = load("trees")
    leaves = [bytes.fromhex(x) for x in trees["leaves"]]
    assert [merkle.root(leaves[:n]).hex() for n in range(len(leaves) + 1)] == trees["roots"]


def test_the_published_inclusion_cases_get_their_verdicts() -> None:
    good = 0
    for name, case in load("inclusion").items():
        leaf, root = base64.b64decode(case["leafHash"] or ""), base64.b64decode(case["root"] or "")
        verdict = holds(proofs.check_inclusion, leaf, case["leafIdx"], case["treeSize"], b64(case["proof"]), root)
        assert verdict is not case["wantErr"], name
        good += verdict
    assert good == 6


def test_the_published_consistency_cases_get_their_verdicts_and_our_tree_heads() -> None:
    trees, good = load("trees"), 0
    leaves = [bytes.fromhex(x) for x in trees["leaves"]]
    for name, case in load("consistency").items():
        first, second = b64([case["root1"] or "", case["root2"] or ""])
        verdict = holds(proofs.check_consistency, case["size1"], case["size2"], b64(case["proof"]), first, second)
        assert verdict is not case["wantErr"], name
        if verdict and "happy" in name:
            assert (first, second) == (merkle.root(leaves[: case["size1"]]), merkle.root(leaves[: case["size2"]]))
            good += 1
    assert good == 5


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_every_proof_of_inclusion_and_consistency_leads_to_our_tree_head(size: int) -> None:
    head = merkle.root(LEAVES[:size])
    for i in range(size):
        path = proofs.inclusion(i, LEAVES[:size])
        proofs.check_inclusion(merkle.leaf_hash(LEAVES[i]), i, size, path, head)
        assert not holds(proofs.check_inclusion, merkle.leaf_hash(b"another"), i, size, path, head)
    for before in range(1, size + 1):
        path = proofs.consistency(before, LEAVES[:size])
        proofs.check_consistency(before, size, path, merkle.root(LEAVES[:before]), head)
