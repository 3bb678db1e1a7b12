# SPDX-License-Identifier: EUPL-1.2
"""Updates that would occupy the grammar for long in one piece: long strings, numbers and white space, and many things
of little work each."""

import contextlib
import json

from app.objects.grammar import read
from app.objects.lib0 import BadUpdate
from tests.fuzz.blocks import EMBED, MARK, TEXT, TYPE, VALUES, Block, Blocks, Section, number, value_bytes, write

SIZE = 190_000


def of(*items: Block, deletes: list[tuple[int, list[list[int]]]] | None = None) -> bytes:
    """An update with these items of one client."""
    return write(Blocks([Section(1, 0, list(items))], deletes or []))


def quoted(inside: str, size: int = SIZE) -> str:
    """A JSON string of this size that says one thing again and again."""
    return '"' + inside * (size // len(inside.encode())) + '"'


JSON_TEXTS = {
    "escapes": quoted("\\u0041"),
    "characters": quoted("x"),
    "two_bytes": '"x' + quoted("å")[1:],
    "pairs": quoted("\\ud83d\\ude42"),
    "backslashes": quoted("\\\\"),
    "lines": "[" + quoted("x\\n") + "]",
    "key": "{" + quoted("𝔎") + ":1}",
    "escaped_key": "{" + quoted("\\u0041") + ":1}",
    "many_keys": json.dumps({str(n): 1 for n in range(SIZE // 9)}),
    "escaped_keys": "{" + ",".join(f'"{n}' + "\\u0041" * 600 + '":1' for n in range(SIZE // 3610)) + "}",
    "digits": "9" * SIZE,
    "fraction": "0." + "9" * SIZE,
    "small_fraction": f"0.{'0' * SIZE}1",
    "exponent": "1e" + "0" * SIZE,
    "large_exponent": "1e-" + "9" * SIZE,
    "long_numbers": "[" + ",".join(["0." + "9" * 4000] * (SIZE // 4003)) + "]",
    "nests": "[" + ",".join(["[" * 15 + "]" * 15] * (SIZE // 31)) + "]",
    "space_before": " " * SIZE + "1",
    "space_inside": "[" + " " * SIZE + "]",
    "space_between": "[1" + " " * SIZE + ",2]",
    "space_behind": "1" + " " * SIZE,
    "space_alone": "\n" * SIZE,
    "space_before_an_error": "[" + " " * SIZE + "x",
}

NULLS = b"\x75" + number(199) + b"\x7e" * 199
ZEROS = Block(EMBED, "[" + "0," * 198 + "0]", parent="text")

MANY_THINGS = {
    "lists": of(Block(VALUES, [NULLS] * 200, parent="m")),
    "nests": of(Block(VALUES, [b"\x75\1" * 15 + b"\x7e"] * 1400, parent="m")),
    "json_lists": of(*[ZEROS] * 100),
    "pairs": of(*[Block(TEXT, "𝔎" * 1000, parent="text")] * 20),
    "clients": of(Block(TEXT, "x", parent="text"), deletes=[(client, [[0, 1]]) for client in range(10_000)]),
    "ranges": of(Block(TEXT, "x", parent="text"), deletes=[(n, [[2 * k, 1] for k in range(1400)]) for n in range(8)]),
    "types": of(*[Block(TYPE, 1, parent="m")] * 2000),
    "several": of(*[Block(VALUES, [None, None], parent="m", key="k")] * 2000, deletes=[(1, [[0, 4000]])]),
    "keys": of(Block(VALUES, [{str(n): n for n in range(10_000)}], parent="m")),
}
DECIDED: list[tuple[str, str | None]] = [
    ('"' + "\\ud83d\\ude42" * 9 + '"', None),
    ('"' + "x" * 7 + "\\ud83d\\ude42" * 9 + '"', None),
    ('"' + "x" * 40 + "\\ud83d" + '"', "json"),
    ('"' + "x" * 31 + "\\ud83d\\ud83d\\ude42" + '"', "json"),
    ('"' + "\\n" * 30 + "\\ude42" + '"', "json"),
    ('"' + "x" * 40, "json"),
    ('"' + "x" * 40 + "\t" + '"', "json"),
    ('"' + "x" * 40 + "\\x" + '"', "json"),
    ('"' + "𝔎å" * 20 + '"', None),
    ('{"' + "a" * 50 + '":1,"' + "\\u0061" * 50 + '":2}', "twice"),
    ('{"' + "𝔎" * 50 + '":1,"' + "\\ud835\\udd0e" * 50 + '":2}', "twice"),
    ('{"' + "a" * 50 + '":1,"' + "\\u0061" * 49 + '":2}', None),
    ('{"' + "a" * 5000 + '":1,"' + "\\u0061" * 5000 + '":2}', "twice"),
    ('{"' + "a" * 4095 + '":1,"' + "\\u0061" * 4095 + '":2}', "twice"),
    ('{"' + "a" * 4096 + '":1,"' + "\\u0061" * 4096 + '":2}', "twice"),
    ('{"' + "a" * 4097 + '":1,"' + "\\u0061" * 4097 + '":2}', "twice"),
    ("9" * 19, "json"),
    (" " * 20 + "9" * 18 + " " * 20, None),
    ("-9223372036854775808" + " " * 50, None),
    ("-9223372036854775809" + " " * 50, "json"),
    ("[9223372036854775807" + " " * 50 + ",1]", None),
    ("[9223372036854775808" + " " * 50 + ",1]", "json"),
    ("17976931348623157" + "0" * 292 + ".0", None),
    ("17976931348623159" + "0" * 292 + ".0", "json"),
    ("0." + "0" * 5000 + "1e5310", "json"),
    ("0." + "0" * 5000 + "1e5309", None),
    ("1" + "0" * 5000 + "e-4692", None),
    ("1" + "0" * 5000 + ".0e-4691", "json"),
    ("1e" + "0" * 5000 + "308", None),
    ("1E+" + "0" * 5000 + "309", "json"),
    ("1e-" + "9" * 5000, None),
    ("1e" + "9" * 5000, "json"),
    ("0e" + "9" * 5000, None),
    ("0." + "0" * 5000 + "e" + "9" * 5000, None),
    ("0." + "0" * 50 + "e", "json"),
    ("1" * 30 + ".", "json"),
    ("1" * 30 + ".e1", "json"),
    ("1" * 30 + ".1e+", "json"),
    ("00" + " " * 40, "json"),
    ("-" + " " * 40, "json"),
    ("[" + " " * 50 + "]" + " " * 50, None),
    ("{" + " " * 50 + "}" + " " * 50 + "x", "json"),
    ("{" + " " * 50 + '"a"' + " " * 50 + ":" + " " * 50 + "true" + " " * 50 + ',"a":1}', "twice"),
    (" " * 50 + "tru", "json"),
    ("[" + " " * 50 + ",1]", "json"),
]
"""JSON texts, each with the rule that it breaks wherever a stretch of reading ends."""


def read_all() -> None:
    """Reads all of it, as updates or as states."""
    long = "å" * (SIZE // 2)
    updates = [*MANY_THINGS.values(), of(Block(TEXT, long, parent="text"))]
    updates += [
        of(Block(EMBED, text, parent="text")) for text in (*JSON_TEXTS.values(), *(made for made, _ in DECIDED))
    ]
    updates += [of(Block(VALUES, [{long: long}, written], parent="m", key=long)) for written in (1, value_bytes({}))]
    updates += [of(Block(TEXT, "x", parent=long)), of(Block(MARK, [long, "1"], parent="text"))]
    updates.append(of(Block(TEXT, "𝔎" * (SIZE // 4), parent="text")))
    gone = [(client, [[0, 1]]) for client in range(1000)]  # a piece ends within a client or behind it
    updates += [of(*[Block(TEXT, "x", parent="text")] * count, deletes=gone) for count in range(1, 9)]
    for update in updates:
        with contextlib.suppress(BadUpdate):
            read(update)
    read(
        write(Blocks([Section(client, 0, [Block(TEXT, "x", parent="text")]) for client in range(2500, 0, -1)])),
        state=True,
    )
