# SPDX-License-Identifier: EUPL-1.2
"""Bold, italic and lists while a message is written: what was meant is what a reader sees, and no mark is left over."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.marking import (
    BOLD,
    ITALIC,
    NO_MARKS,
    Marks,
    Written,
    emptied,
    finished,
    new_line,
    toggle,
    toggle_list,
    typed,
)
from app.chat.markup import parse

STEPS = {"B": lambda now: toggle(now, BOLD), "I": lambda now: toggle(now, ITALIC), "L": toggle_list, "\n": new_line}
LETTERS = "aåö🙂"


def at(text: str) -> Written:
    """A text whose caret or selection is written as | or [ and ]."""
    if "|" in text:
        place = text.index("|")
        return Written(text=text.replace("|", ""), start=place, end=place)
    start, end = text.index("["), text.index("]") - 1
    return Written(text=text.replace("[", "").replace("]", ""), start=start, end=end)


def shown(now: Written) -> str:
    if now.start == now.end:
        return now.text[: now.end] + "|" + now.text[now.end :]
    return now.text[: now.start] + "[" + now.text[now.start : now.end] + "]" + now.text[now.end :]


def write(now: Written, char: str) -> Written:
    """Types a character, as the field does."""
    text = now.text[: now.start] + char + now.text[now.end :]
    return typed(Written(text=text, start=now.start + 1, end=now.start + 1, on=now.on), 1)


def do(start: str, steps: str) -> Written:
    """Capitals are keys and buttons: B and I are Ctrl+B and Ctrl+I, L is the list. The rest is typed."""
    now = at(start)
    for step in steps:
        now = STEPS[step](now) if step in STEPS else write(now, step)
    return now


def seen(text: str) -> list[tuple[str, Marks]]:
    """Each character as a reader sees it."""
    return [
        (char, frozenset({BOLD} if run.bold else ()) | frozenset({ITALIC} if run.italic else ()))
        for run in parse(text)
        for char in run.text
    ]


@pytest.mark.parametrize(
    ("start", "steps", "after"),
    [
        ("|", "BB", "|"),  # on and off: nothing is left
        ("|", "BabBc", "**ab**c|"),
        ("|", "Bab Bc", "**ab** c|"),  # no mark stands around a space
        ("|", "B abB", " **ab**|"),
        ("|", "BabBBc", "**abc|**"),  # off and on again
        ("|", "BabIc", "**abc|**"),  # in the middle of a word nobody could read italic
        ("|", "Bab Ic", "**ab _c|_**"),
        ("|", "BIabc", "**_abc|_**"),
        ("|", "IBabc", "**_abc|_**"),
        ("|", "BIabIB c", "**_ab_** c|"),
        ("|", "BIabBI c", "**_ab_** c|"),
        ("|", "BIaBBb", "**_ab|_**"),
        ("|", "BIab Bc", "**_ab_** _c|_"),
        ("|", "Iab Bc", "_ab_ **_c|_**"),
        ("ett |", "BtvåB tre", "ett **två** tre|"),
        ("ett **två|**", "B tre", "ett **två** tre|"),  # from a draft
        ("ett **tv|å** tre", "B", "ett tv|å tre"),  # within a run it goes
        ("**[ab]**", "B", "[ab]"),
        ("[**ab**]", "B", "[ab]"),
        ("[ab] c", "B", "**[ab]** c"),
        ("[ab ]c", "B", "**[ab** ]c"),
        ("[ab\n- cd\n\nef]", "B", "**[ab**\n- **cd**\n\n**ef]**"),
        ("**a[b]c**", "B", "**a**[b]**c**"),
        ("a **b** [c **d** e]", "B", "a **b** **[c d e]**"),
        ("[a **b** c]", "I", "_[a_ **_b_** _c]_"),
        ("**[ab]**", "I", "**_[ab]_**"),
        ("in[form]ation", "I", "in[form]ation"),  # nobody could read it
        ("|", "Bab\ncd", "**ab**\n**cd|**"),
        ("**a|b**", "\n", "**a**\n**|b**"),
        ("|", "Bab \n", "**ab** \n|"),
        ("`*x*` *y*\n|", "Ba", "`*x*` *y*\n**a|**"),
    ],
)
def test_marks(start: str, steps: str, after: str) -> None:
    assert shown(do(start, steps)) == after


@pytest.mark.parametrize(
    ("start", "steps", "after"),
    [
        ("ett\ntvå|", "L", "ett\n- två|"),  # the caret's line and no other
        ("ett\n|", "Ltvå", "ett\n- två|"),
        ("|", "Lett\ntvå\ntre", "- ett\n- två\n- tre|"),
        ("|", "Lett\n\ntvå", "- ett\ntvå|"),  # a break in an empty item ends the list
        ("- e|tt", "L", "e|tt"),
        ("[ett\n\ntvå]\ntre", "L", "[- ett\n\n- två]\ntre".replace("[- ", "- [")),
        ("- [ett\n- två]", "L", "[ett\ntvå]"),
        ("[ett\n]två", "L", "- [ett\n]två"),
        ("  - ett|", "\n", "  - ett\n  - |"),
        ("* ett|", "\ntvå", "* ett\n* två|"),
        ("- e|tt", "\n", "- e\n- |tt"),
        ("|- ett", "\n", "\n|- ett"),
        ("- **ett|**", "\ntvå", "- **ett**\n- **två|**"),
        ("- ett [och] två", "\n", "- ett \n- | två"),
        ("|", "LBettB.", "- **ett**.|"),
        ("- |", "L", "|"),
    ],
)
def test_lists(start: str, steps: str, after: str) -> None:
    assert shown(do(start, steps)) == after


@pytest.mark.parametrize(
    ("start", "text"),
    [("**ab |**", "**ab** "), ("**_ab |_**", "**_ab_** "), ("**ab|**", "**ab**"), ("a ** b|", "a ** b"), ("|", "")],
)
def test_what_is_sent_has_no_mark_around_a_space(start: str, text: str) -> None:
    assert finished(at(start)) == text


@pytest.mark.parametrize(
    ("start", "after", "on"),
    [
        ("**|**", "|", {BOLD}),
        ("**_|_**", "|", {BOLD, ITALIC}),
        ("a **|** b", "a | b", {BOLD}),
        ("**a|**", "**a|**", set()),
        ("|", "|", set()),
    ],
)
def test_an_emptied_pair_of_marks_goes(start: str, after: str, on: set[str]) -> None:
    now = emptied(at(start))
    assert shown(now) == after
    assert now.on == on


@pytest.mark.parametrize(
    ("start", "marks"),
    [
        ("a| **b**", set()),
        ("a **|b**", {BOLD}),
        ("a **b|**", {BOLD}),
        ("a **b**|", set()),
        ("**_b|_**", {BOLD, ITALIC}),
        ("snake_ca|se_name", set()),
        ("2 ** 3| ** 4", set()),
    ],
)
def test_what_holds_at_the_caret(start: str, marks: set[str]) -> None:
    assert at(start).marks == marks


@given(st.lists(st.sampled_from([*LETTERS, " ", " ", "\n", "B", "I"]), max_size=30))
def test_each_letter_is_seen_with_the_marks_that_held_when_it_was_typed(steps: list[str]) -> None:
    now, meant = at("|"), list[tuple[str, Marks]]()
    for step in steps:
        if step in STEPS:
            now = STEPS[step](now)
            if step == "\n":
                meant.append(("\n", NO_MARKS))
            continue
        glued = bool(meant) and not meant[-1][0].isspace()
        before = now.marks
        now = write(now, step)
        if glued and step != " " and before != meant[-1][1] and ITALIC in before | meant[-1][1]:
            return  # within a word nobody could read where italic begins or ends
        meant.append((step, before))
    got = seen(finished(now))
    assert [char for char, _ in got] == [char for char, _ in meant]
    for (char, marks), (_, wanted) in zip(got, meant, strict=True):
        assert char.isspace() or marks == wanted, finished(now)


@given(
    st.lists(st.sampled_from([*LETTERS, " ", "\n", "B", "I", "L", "<", ">", "-"]), max_size=40),
    st.data(),
)
def test_no_letter_is_lost_wherever_one_writes_and_selects(steps: list[str], data: st.DataObject) -> None:
    now, letters = at("|"), 0
    for step in steps:
        if step in "<>":
            place = data.draw(st.integers(0, len(now.text)))
            other = data.draw(st.integers(0, len(now.text))) if step == ">" else place
            now = replace(now, start=min(place, other), end=max(place, other), on=NO_MARKS)
            continue
        if step in STEPS:
            if step == "\n":
                now = replace(now, start=now.end)
            now = STEPS[step](now)
        else:
            now = write(replace(now, start=now.end), step)
            letters += step in LETTERS
        assert 0 <= now.start <= now.end <= len(now.text)
        assert sum(char in LETTERS for char in now.text) == letters
    assert sum(char in LETTERS for char, _ in seen(finished(now))) == letters


@given(st.text(st.sampled_from([*LETTERS, " ", "\n"]), max_size=20), st.data())
def test_on_and_off_leaves_the_text_as_it_was(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    mark = data.draw(st.sampled_from([BOLD, ITALIC]))
    now = Written(text=text, start=start, end=end)
    on = toggle(now, mark)
    off = toggle(on, mark)
    assert off.text == text
    assert (off.start, off.end) == (on.start, on.end) if start == end else text[off.start : off.end] == text[start:end]
    for (_, marks), place in zip(seen(on.text), range(len(text)), strict=True):
        inside = start <= place < end
        if not text[place].isspace() and (mark == BOLD or not inside):  # parts of words cannot be italic
            assert marks == (frozenset({mark}) if inside else NO_MARKS)
