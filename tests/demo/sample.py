# SPDX-License-Identifier: EUPL-1.2
"""What the demo's people write: the pictures' content. Roles, never invented people."""

from dataclasses import dataclass

ROOM = "Tillsyn 2026-1184"
PASSPHRASE = "fyra vanliga ord i rad"
HANDLER, HEAD, REGISTRAR, LAWYER = "Handläggare", "Enhetschef", "Registrator", "Verksjurist"
UNIT = "Enheten för tillsyn"

ARRIVED = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 14."
ASKED = "Tack! Jag har lagt in uppgifterna i utkastet. Kan du titta på avsnitt 3,"
ANSWERED = (
    "Ser bra ut. Två saker innan vi skickar: lagrummet i skälen ska vara 5 § och inte 4 §, "
    "och vi behöver maska personnumret i bilagan."
)
CHANGED_FIRST = "Ändrat. Skapade en uppgift för masknigen:"
CHANGED = "Ändrat. Skapade en uppgift för maskningen: 👍"
OFFLINE = "Jag sitter på tåget utan nät men skriver klart skälen ändå. 🚆"
AFTER = "Efter att juristen lämnat rummet: sekretessmarkeringen gäller åter alla bilagor."

FILE_NAME = "Komplettering.pdf"
FILE_WORDS = "Komplettering i ärende 2026-1184: redovisning av åtgärder för å, ä och ö"

DOCUMENT = "Utkast till beslut"
BACKGROUND = "Den 3 september 2026 inkom en anmälan om brister i rutinerna."
REASONS = "Enligt 5 § ska verksamheten dokumentera varje avvikelse."
TOGETHER_A = " Verksamheten har yttrat sig."
TOGETHER_B = " Åtgärder ska vidtas så att den inte upprepas 🛠."
CUT_A = " Av utredningen framgår att detta inte har skett."
CUT_B = " Bristerna är allvarliga men åtgärdade."
LIST_ITEMS = ("Föreläggande att redovisa åtgärder", "Kritik för bristande dokumentation")

TODO, DOING, REVIEW, DONE = "Att göra", "Pågår", "Granskning", "Klart"


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    column: str
    assignee: str
    due: str
    label: str = ""


MASK = "Maska aktbilaga 14 före utlämnande"
REASONING = "Skriv skälen för beslutet"
CARDS = (
    Card(MASK, TODO, HEAD, "2026-11-26"),
    Card("Begär yttrande från kommunen", TODO, HANDLER, "2026-12-02"),
    Card("Boka avstämning med juridik", TODO, HEAD, "2026-12-03"),
    Card(REASONING, DOING, HANDLER, "2026-11-27"),
)

TEXTS = (
    ROOM, ARRIVED, ASKED, ANSWERED, CHANGED_FIRST, CHANGED, OFFLINE, AFTER, FILE_NAME, FILE_WORDS, DOCUMENT, BACKGROUND,
    REASONS, TOGETHER_A, TOGETHER_B, CUT_A, CUT_B, *LIST_ITEMS, *(card.title for card in CARDS),
)  # fmt: skip
"""Everything above that is written into the program: none of it may be found on the server or the wire."""


def pdf() -> bytes:
    """A small file to send: one page of a PDF, plain enough that a search would find its words."""
    return b"%PDF-1.4\n% " + FILE_WORDS.encode() + b"\n" + bytes(range(256)) * 2000 + b"\n%%EOF\n"
