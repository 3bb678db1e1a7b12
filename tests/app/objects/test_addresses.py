# SPDX-License-Identifier: EUPL-1.2
"""Which addresses may be linked to, where they lead, and which text hides that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import ObjId, RoomId
from app.objects.addresses import host, notes, opened, safe_link, shown
from app.objects.links import ObjectLink
from tests.counting import lines_run

OURS = ObjectLink(room=RoomId(b"r" * 16), obj=ObjId(b"o" * 16), kind="document").to_text()
CYRILLIC = "https://\u0430pple.com/x"
"""The first letter is no Latin a."""


@pytest.mark.parametrize(
    ("typed", "link"),
    [
        ("https://å.se/x", "https://å.se/x"),
        ("lagen.nu", "https://lagen.nu"),
        ("HTTPS://LAGEN.nu/4§", "https://LAGEN.nu/4§"),
        ("registrator@myndigheten.se", "mailto:registrator@myndigheten.se"),
        ("mailto:a@b.se?subject=å", "mailto:a@b.se?subject=å"),
        (OURS, OURS),
        ("javascript:alert(1)", ""),
        ("JAVASCRIPT:x", ""),
        ("file:///etc/passwd", ""),
        ("file://host/share/x.png", ""),
        ("data:text/html,x", ""),
        ("kansli:join?server=x", ""),
        ("http://[", ""),
        ("https:evil.example", ""),
        ("https:///evil.example", ""),
        ("https://skatteverket.se@evil.example/", ""),
        ("https://evil.example\\@skatteverket.se/", ""),
        ("https://skatte\u200bverket.se", ""),
        ("https://%65vil.example", ""),
        ("https://evil.example:99999/", ""),
        ("mailto:a@b.se?attach=/etc/passwd", ""),
        ("mailto:@b.se", ""),
        (f"https://a.se/{'x' * 2000}", ""),
        ("ord", ""),
        ("", ""),
    ],
)
def test_only_safe_addresses_become_links(typed: str, link: str) -> None:
    assert safe_link(typed) == link


@given(st.text(max_size=60) | st.from_regex(r"(https?://|mailto:)?[\w@.\\/?#:\[\]%-]{1,40}", fullmatch=True))
def test_a_judged_address_is_judged_the_same_again(text: str) -> None:
    link = safe_link(text)
    assert safe_link(link) == link
    assert bool(host(link)) == bool(link and not link.startswith("kansli:"))


def test_an_opened_address_has_its_host_in_ascii_and_the_shown_one_too() -> None:
    assert opened("https://räksmörgås.se:8443/å?q#f") == "https://xn--rksmrgs-5wao1o.se:8443/å?q#f"
    assert shown("https://räksmörgås.se/å") == "https://räksmörgås.se/å"
    assert host("https://räksmörgås.se/å") == "räksmörgås.se"
    assert opened(CYRILLIC) == shown(CYRILLIC) == "https://xn--pple-43d.com/x"
    assert host(CYRILLIC) == "\u0430pple.com (xn--pple-43d.com)"
    assert host("https://xn--pple-43d.com") == host(CYRILLIC)
    assert host("mailto:a@b.se,c@å.se") == "a@b.se, c@å.se"
    assert opened("https://skatteverket\u3002se") == shown("https://skatteverket\u3002se") == "https://skatteverket.se"


EVIL = "https://evil.example/x"


@pytest.mark.parametrize(
    "label",
    [
        "https://skatteverket.se",
        "skatteverket.se",
        "Läs mer på www.skatteverket.se/moms.",
        "SKATTEVERKET.SE",
        "skatteverket\u2024se",
        "skatteverket\u3002se",
        "ｓkatteverket．se",
        "evil.example.skatteverket.se",
        "registrator@skatteverket.se",
        "10.0.0.1",
        "\u202eelpmaxe.live",
        "evil.exa\u200bmple",
        "x" * 400,
    ],
)
def test_a_label_that_names_another_host_gets_the_true_one(label: str) -> None:
    assert notes([("Se ", ""), (label, EVIL), (" nu", "")]) == ["", "evil.example", ""]


@pytest.mark.parametrize(
    "label", ["beslutet", "evil.example", "www.evil.example/y", "https://evil.example", "punkt 3.1"]
)
def test_a_label_that_names_no_other_host_is_left_as_it_is(label: str) -> None:
    assert notes([(label, EVIL)]) == [""]


def test_neighbours_cannot_make_up_a_name_together() -> None:
    assert notes([("skatteverket", EVIL), (".se", "https://evil.example/y")]) == ["", "evil.example"]
    assert notes([("skatteverket", EVIL), (".se", "https://other.example")]) == ["evil.example", "other.example"]
    assert notes([("skatteverket.", ""), ("se", EVIL)]) == ["", "evil.example"]
    assert notes([("\u202e ", ""), ("beslutet", EVIL)]) == ["", "evil.example"]


@pytest.mark.parametrize(
    ("text", "link", "note"),
    [
        ("chef@skv.se", "mailto:evil@skv.se", "evil@skv.se"),
        ("Skriv till <chef@skv.se>.", "mailto:evil@skv.se?subject=å", "evil@skv.se"),
        ("chef@skv.se,anna@skv.se", "mailto:chef@skv.se,evil@skv.se", "chef@skv.se, evil@skv.se"),
        ("Chef@SKV.se", "mailto:chef@skv.se", ""),
        ("chef@skv.se", "mailto:chef@skv.se,anna@skv.se", ""),
        ("anna@å.se; chef@skv.se", "mailto:chef@skv.se,anna@xn--5ca.se", ""),
        ("registrator", "mailto:evil@skv.se", ""),
    ],
)
def test_attack_a_mail_address_that_is_not_the_recipients_gets_theirs_beside_it(
    text: str, link: str, note: str
) -> None:
    assert notes([(text, link)]) == [note]


def test_a_mail_program_gets_the_host_in_ascii_and_a_person_sees_it() -> None:
    assert opened("mailto:x@\u0430pple.com?subject=å") == "mailto:x@xn--pple-43d.com?subject=å"
    assert shown("mailto:x@\u0430pple.com") == "mailto:x@xn--pple-43d.com"
    assert opened("mailto:a@b.se,c@å.se") == "mailto:a@b.se,c@xn--5ca.se"
    assert shown("mailto:a@b.se,c@å.se") == "mailto:a@b.se,c@å.se"


def test_an_unfamiliar_host_is_named_and_a_mail_address_that_is_its_own_label_is_not() -> None:
    assert notes([(CYRILLIC, CYRILLIC)]) == ["\u0430pple.com (xn--pple-43d.com)"]
    assert notes([("anna.b@å.se", "mailto:anna.b@å.se")]) == [""]
    assert notes([("a@å.se", "mailto:b@evil.example")]) == ["b@evil.example"]
    assert notes([("skatteverket.se", OURS)]) == [""]


def test_work_grows_as_the_number_of_links_and_not_with_a_labels_length() -> None:
    for unit in ("a.", "a", "@", "-", "1."):
        assert lines_run(lambda text=unit * 10_000: notes([(text, EVIL)])) < 2000  # type: ignore[misc] # bound per unit
    few, many = ([("ab", f"https://{n}.se/{i}") for i in range(n)] for n in (1000, 4000))
    assert lines_run(lambda: notes(many)) < 6 * lines_run(lambda: notes(few))
