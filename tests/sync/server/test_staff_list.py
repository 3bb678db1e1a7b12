# SPDX-License-Identifier: EUPL-1.2
"""Lists of people as spreadsheets save them, and as they should not be."""

from pathlib import Path

import pytest

from sync.server.config import ConfigError
from sync.server.operator.staff_list import MOST_LINES, read_list
from sync.server.operator.staff_record import Staff

HEAD = "namn;titel;enhet\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folk.csv"


def fault(path: Path, data: bytes | str) -> str:
    """The sentence with which the list is refused."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(ConfigError) as e:
        read_list(path)
    assert str(path) in str(e.value)
    return str(e.value)


@pytest.mark.parametrize(
    "text",
    [
        "namn;titel;enhet\nÅsa Ö;Handläggare;Tillsyn, väst\n",
        "\ufeffNamn;Titel;Enhet\r\nÅsa Ö;Handläggare;Tillsyn, väst\r\n;;\r\n",
        'name,title,unit\nÅsa Ö,Handläggare,"Tillsyn, väst"\n',
        'unit , name , title\n"Tillsyn, väst",  Åsa  Ö,Handläggare\n\n\n',
    ],
)
def test_both_languages_both_separators_and_the_mark_are_read(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
    (found,) = read_list(path)
    assert found.line == 2
    assert found.who == Staff(name="Åsa Ö", title="Handläggare", unit="Tillsyn, väst")


def test_every_fault_is_named_by_its_line(path: Path) -> None:
    sentence = fault(
        path,
        HEAD
        + "Registrator;Registrator;Bygglov\n"
        + ";Handläggare;Bygglov\n"
        + "Handläggare;Handläggare\n"
        + "registrator;Registrator;Bygglov\n"
        + "Enhets\u200bchef;;\n"
        + f"{'L' * 121};;\n",
    )
    assert sentence.splitlines()[1:] == [
        "  line 3: a name is needed",
        "  line 4: it has 2 columns, not 3",
        "  line 5: registrator is on line 2 already, with the same title and unit",
        "  line 6: the name has a character that cannot be seen (U+200B)",
        "  line 7: the name has 121 characters; at most 120 are taken",
    ]


def test_two_of_one_name_and_different_work_are_two(path: Path) -> None:
    path.write_text(HEAD + "Handläggare;Handläggare;Väst\nHandläggare;Handläggare;Öst\n", encoding="utf-8")
    assert [(each.line, each.who.unit) for each in read_list(path)] == [(2, "Väst"), (3, "Öst")]


def test_of_many_faults_the_first_are_shown_and_the_rest_counted(path: Path) -> None:
    lines = fault(path, HEAD + "a;b\n" * 30).splitlines()
    assert lines[-1] == "  and 10 more"
    assert len(lines) == 22


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ((HEAD + "Åsa Ö;;\n").encode("utf-16"), "is in UTF-16, not in UTF-8"),
        ((HEAD + "Åsa Ö;;\n").encode("utf-16-le"), "is in UTF-16 or no text at all"),
        ((HEAD + "Åsa Ö;;\n").encode("utf-32"), "is in UTF-32, not in UTF-8"),
        ((HEAD + "Åsa Ö;;\n").encode("cp1252"), "in Windows-1252, in which line 2 is 'Åsa Ö;;'"),
        (HEAD.encode() + b"\x81\x8d;;\n", "is not in UTF-8 (line 2)"),
        (b"%PDF-1.7\n\0\0\0", "is in UTF-16 or no text at all"),
    ],
)
def test_another_encoding_is_named_and_nothing_is_guessed(path: Path, data: bytes, sentence: str) -> None:
    text = fault(path, data)
    assert sentence in text
    assert 'save the list as "CSV UTF-8"' in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("\n\n;;\n", "is empty"),
        (HEAD, "names nobody"),
        ("namn;titel\nÅsa;Chef\n", "line 1: each of the columns name, title and unit is needed once"),
        ("namn;name;titel;enhet\na;b;c;d\n", "line 1: each of the columns"),
        ("Åsa Ö;Handläggare;Väst\n", "line 1: 'Åsa Ö', 'Handläggare', 'Väst' is no column"),
        (HEAD + 'Åsa;"Chef;Väst\nBo;;\n', "line 2: a quotation mark is not closed"),
        (HEAD + 'Åsa;"Che"f;Väst\n', "line 2: a quotation mark"),
        (HEAD + '"Åsa\nÖ";Chef;Väst\n', "line 2: the name has a character that cannot be seen (U+000A)"),
        (HEAD + "Å\x1bsa;Chef;Väst\n", "line 2: the name has a character that cannot be seen (U+001B)"),
    ],
)
def test_what_is_no_list_is_refused_in_a_sentence(path: Path, text: str, sentence: str) -> None:
    assert sentence in fault(path, text)


def test_a_list_of_too_many_lines_or_bytes_is_refused(path: Path) -> None:
    one = "Handläggare {};Handläggare;Väst\n"
    sentence = fault(path, HEAD + "".join(one.format(k) for k in range(100_000)))
    assert f"a list has at most {MOST_LINES} people" in sentence
    sentence = fault(path, HEAD + "".join(one.format(k) for k in range(MOST_LINES + 1)))
    assert f"has {MOST_LINES + 1} people: divide it" in sentence
    path.write_text(HEAD + "".join(one.format(k) for k in range(MOST_LINES)), encoding="utf-8")
    assert len(read_list(path)) == MOST_LINES
