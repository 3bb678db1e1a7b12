# SPDX-License-Identifier: EUPL-1.2
"""What the interface says, in the language that the demo's windows have: read from the program's own .po files.

The driver names things on screen by these words, as a person does who reads Swedish.
"""

import ast
import re
from functools import cache
from pathlib import Path

LOCALE = Path("resources/locale")
_ENTRY = re.compile(
    r'^msgid ((?:"[^\n]*"\n?)+)(?:^msgid_plural (?:"[^\n]*"\n?)+)?^msgstr(?:\[0\])? ((?:"[^\n]*"\n?)+)', re.MULTILINE
)
"""An entry; of one with a plural the first form, which is all that the demo names."""


def _joined(quoted: str) -> str:
    return "".join(str(ast.literal_eval(line)) for line in quoted.splitlines())


@cache
def catalogue(language: str) -> dict[str, str]:
    """msgid → text of every area; the English text stands for itself."""
    texts: dict[str, str] = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        for msgid, text in _ENTRY.findall(path.read_text(encoding="utf-8") + "\n"):
            if _joined(text):
                texts[_joined(msgid)] = _joined(text)
    return texts


def said(text: str, /, **parts: object) -> str:
    """An English text as the demo's windows (in Swedish) show it."""
    return catalogue("sv").get(text, text).format(**parts)
