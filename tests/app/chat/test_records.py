# SPDX-License-Identifier: EUPL-1.2
"""What a chat's records, texts and file names hold and refuse."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.errors import MessageTooLong
from app.chat.markup import Run, parse, plain
from app.chat.mentions import complete, find
from app.chat.records import MAX_TEXT, Attachment, Mention, MessageSent, ReactionSet, decode, encode
from app.errors import BadChange, BadFileName
from app.objects.filenames import MAX_NAME_BYTES, clean_name, free_path
from tests.counting import least_s
from tests.office import EK, HL, NAMES, RG, Folk

PEOPLE = [Folk(HL).person(uid) for uid in NAMES]


def test_a_record_comes_back_as_it_was() -> None:
    file = Attachment(name="Komplettering å.pdf", size_bytes=5, media_type="application/pdf", manifest=b"m")
    sent = MessageSent(text="Hej 🙂 åäö", mentions=(Mention(uid=EK, start=0, length=3),), attachments=(file,))
    assert decode(encode(sent)) == sent


def test_a_text_above_the_limit_is_refused_when_written_and_when_read() -> None:
    with pytest.raises(MessageTooLong):
        encode(MessageSent(text="x" * (MAX_TEXT + 1)))
    good = encode(MessageSent(text="x" * MAX_TEXT))
    assert isinstance(decode(good), MessageSent)


@given(st.binary(max_size=80))
def test_any_other_bytes_are_a_bad_change_and_nothing_else(data: bytes) -> None:
    with suppress(BadChange):
        decode(data)


def test_a_reaction_of_a_novel_length_is_refused() -> None:
    with pytest.raises(BadChange):
        decode(encode(ReactionSet(target=b"t", emoji="x" * 40, on=True)))


def test_attack_a_reaction_that_is_nothing_is_no_record() -> None:
    with pytest.raises(BadChange, match="malformed"):
        decode(encode(ReactionSet(target=b"t", emoji="\u202e\u200b", on=True)))
    assert decode(encode(ReactionSet(target=b"t", emoji="❤️\u202e", on=True))) == ReactionSet(
        target=b"t", emoji="❤️", on=True
    )


def test_a_received_file_is_shown_under_the_name_that_it_is_saved_as() -> None:
    names = ["rapport\u202efdp.exe", "../../etc/passwd", "...", "beslut.pdf" + " " * 90 + ".exe"]
    files = tuple(Attachment(name=name, size_bytes=5, media_type="x", manifest=b"m") for name in names)
    record = decode(encode(MessageSent(text="", attachments=files)))
    assert isinstance(record, MessageSent)
    assert [file.name for file in record.attachments] == ["rapportfdp.exe", "passwd", "–", "beslut.pdf.exe"]
    assert [file.manifest for file in record.attachments] == [b"m"] * 4


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("beslut\x00\n\x1b.pdf", "beslut.pdf"),
        ("faktura\u202efdp.exe", "fakturafdp.exe"),
        ("con.txt", "_con.txt"),
        ("CONIN$", "_CONIN$"),
        ("conout$.txt", "_conout$.txt"),
        ("a." + "b" * 19 + " c", "a." + "b" * 19),
        ("a<b>:c?.txt", "a_b__c_.txt"),
        ("  Åtgärd 🙂.docx. ", "Åtgärd 🙂.docx"),
    ],
)
def test_a_file_name_is_made_safe(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize("name", ["", "..", "/", "\x00\x01", "...", "C:\\"])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(BadFileName):
        clean_name(name)


@given(st.text(max_size=300))
def test_no_file_name_leads_out_of_its_folder(name: str) -> None:
    try:
        clean = clean_name(name)
    except BadFileName:
        return
    assert Path(clean).name == clean
    assert not any(c in clean for c in '/\\:\x00\n<>|"?*')
    assert 0 < len(clean.encode()) <= MAX_NAME_BYTES
    assert clean == clean.rstrip(". ")


@pytest.mark.parametrize("name", ["会" * 170 + ".docx", "🙂" * 200 + ".🙂🙂", "å" * 300])
def test_a_long_name_fits_on_a_disk_which_counts_bytes(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        free_path(tmp_path, name).write_bytes(b"x")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_never_replaces_another(tmp_path: Path) -> None:
    (tmp_path / "beslut.pdf").write_bytes(b"1")
    (tmp_path / "beslut (2).pdf").write_bytes(b"2")
    assert free_path(tmp_path, "beslut.pdf").name == "beslut (3).pdf"


def test_marks_become_styles_and_what_is_not_closed_stays() -> None:
    runs = parse("**fet** _kursiv_ `kod` ~~struken~~ **inte")
    assert [run for run in runs if run.text.strip()] == [
        Run(text="fet", bold=True),
        Run(text="kursiv", italic=True),
        Run(text="kod", code=True),
        Run(text="struken", strike=True),
        Run(text=" **inte"),
    ]


@pytest.mark.parametrize("sign", ["[", "[a](", "**a ", "~~a ", "`", "*", "_a ", "```\n"])
def test_attack_no_text_keeps_the_window_busy(sign: str) -> None:
    """A rest of a line was searched from each of its signs: 6 s for 20,000 of "[" at every painting."""
    few, many = ((sign * length)[:length] for length in (MAX_TEXT // 8, MAX_TEXT))
    assert least_s(lambda: parse(many)) < 24 * least_s(lambda: parse(few))  # eight times as long; 64 if searched anew


def test_links_are_web_addresses_or_things_in_a_room_and_nothing_else() -> None:
    assert [r.href for r in parse("[a](https://a.se) https://b.se/x. [c](javascript:alert) [d](file:///etc)")] == [
        "https://a.se", "", "https://b.se/x", "", "", "", "",
    ]  # fmt: skip


def test_snake_case_and_sums_keep_their_signs() -> None:
    assert plain("fil_namn_2 och 3*4*5") == "fil_namn_2 och 3*4*5"


def test_a_list_has_dots() -> None:
    assert plain("- ett\n- två") == "•\u2002ett •\u2002två".replace("\u2002", " ")


@given(st.text(alphabet="*_~[]()@ab å🙂\n-", max_size=60))
def test_no_letter_is_lost_whatever_the_marks(text: str) -> None:
    shown = "".join(run.text + run.href for run in parse(text))
    assert sum(c in "abå🙂" for c in shown) == sum(c in "abå🙂" for c in text)


def test_a_mention_is_found_by_its_whole_name_only() -> None:
    found = find("🙂 @Enhetschef, fråga @Enhetschefen och a@Registrator.se", lambda: PEOPLE)
    assert found == (Mention(uid=EK, start=2, length=11),)


def test_marks_stand_around_a_mention_too() -> None:
    text = "🙂 **Fråga @Enhetschef nu** @Registrator - _å @Registrator_"
    found = find(text, lambda: PEOPLE)
    assert parse(text, found) == [
        Run(text="🙂 "),
        Run(text="Fråga ", bold=True),
        Run(text="@Enhetschef", bold=True, mention=EK),
        Run(text=" nu", bold=True),
        Run(text=" "),
        Run(text="@Registrator", mention=RG),
        Run(text=" - "),
        Run(text="å ", italic=True),
        Run(text="@Registrator", italic=True, mention=RG),
    ]


def test_a_mention_is_in_no_address_and_no_name_of_a_link() -> None:
    text = "https://a.se/@Enhetschef [@Enhetschef](https://b.se) `@Enhetschef`"
    at = [text.index("@"), text.index("[@") + 1, text.index("`@") + 1]
    runs = parse(text, [Mention(uid=EK, start=start, length=11) for start in at])
    assert [run.text for run in runs if run.mention] == ["@Enhetschef"] * 3
    assert "".join(run.text for run in runs) == text
    assert {run.href for run in runs} == {"", "https://a.se/", "https://b.se"}


@given(st.text(alphabet="*_~[]()`ab å🙂\n-\x00", max_size=40), st.lists(st.integers(0, 40), max_size=4))
def test_no_mention_is_lost_whatever_the_marks(text: str, places: list[int]) -> None:
    mentions: list[Mention] = []
    for place in sorted({min(place, len(text)) for place in places}, reverse=True):
        text = text[:place] + "@Å" + text[place:]
        mentions = [Mention(uid=EK, start=place, length=2), *(replace_start(m, 2) for m in mentions)]
    runs = parse(text, mentions)
    assert [run.text for run in runs if run.mention] == ["@Å"] * len(mentions)
    shown = "".join(run.text + run.href for run in runs)
    assert sum(c in "abå🙂" for c in shown) == sum(c in "abå🙂" for c in text)
    assert "\x00" not in shown


@given(
    st.lists(st.sampled_from(["\n```", "```", "\n", "a", "🙂", " å", "@Å", "`"]), max_size=12).map(
        lambda p: ["```", *p]
    )
)
def test_what_stands_beside_the_signs_of_a_code_block_is_shown(parts: list[str]) -> None:
    """It was taken for the name of a programming language; a mention in it gave its name to the next one."""
    starts = [len("".join(parts[:at])) for at, part in enumerate(parts) if part == "@Å"]
    text = "".join(parts)
    runs = parse(text, [Mention(uid=EK, start=start, length=2) for start in starts])
    assert [run.text for run in runs if run.mention] == ["@Å"] * len(starts)
    assert sum(c in "aå🙂" for run in runs for c in run.text) == sum(c in "aå🙂" for c in text)


def test_what_stands_behind_the_beginning_of_a_code_block_is_its_first_line() -> None:
    assert plain("```Viktigt å\nrad\n```") == "Viktigt å rad"
    assert plain("```kod``` är bra\nrad två\n```slut```") == "```kod``` är bra rad två ```slut```".replace("```", "``")


def replace_start(mention: Mention, by: int) -> Mention:
    return Mention(uid=mention.uid, start=mention.start + by, length=mention.length)


def test_mentions_out_of_range_are_left_as_text() -> None:
    wrong = (
        Mention(uid=EK, start=5, length=99),
        Mention(uid=EK, start=-3, length=4),
        Mention(uid=EK, start=0, length=2),
    )
    assert plain("hej @Enhetschef", wrong) == "hej @Enhetschef"
    assert all(not run.mention for run in parse("hej @Enhetschef", wrong))


def test_names_are_offered_while_a_mention_is_written() -> None:
    start, people = complete("Fråga @re", 9, PEOPLE)
    assert (start, [p.name for p in people]) == (6, ["Registrator"])
    assert complete("a@re", 4, PEOPLE) == (-1, [])
