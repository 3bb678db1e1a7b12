# SPDX-License-Identifier: EUPL-1.2
"""Links with named fields are read as they were written, and no other text is."""

import pytest

from app.core import link_fields

FIELDS = {"server": "kansli.myndighet.example:8443", "code": "ABCD EFGH & åäö 👍"}
LINK = link_fields.write("join", FIELDS)


@pytest.mark.parametrize("text", [LINK, f" {LINK}\n", LINK.replace("kansli:", "kansli://"), f"{LINK}&new=1"])
def test_what_is_written_is_read(text: str) -> None:
    assert link_fields.read(text, "join", "code", "server") == (FIELDS["code"], FIELDS["server"])


@pytest.mark.parametrize(
    "text",
    ["", "kansli:join", "kansli:join?server=a", "kansli:join?server=&code=b", LINK.replace("join", "enrol"),
     LINK.replace("kansli", "https"), f"{LINK}&code=c", f"{LINK}&c", f"{LINK}&more={'y' * 512}", "kansli:[join?a=b",
     "kansli://[join?server=a&code=b"],
)  # fmt: skip
def test_attack_what_is_no_such_link_is_none(text: str) -> None:
    assert link_fields.read(text, "join", "server", "code") is None
