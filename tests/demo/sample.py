# SPDX-License-Identifier: EUPL-1.2
"""What the demo's people write: the pictures' content. Roles, never invented people."""

from dataclasses import dataclass

ROOM = "Tillsyn 2026-1184"
PASSPHRASE = "fyra vanliga ord i rad"
NEXT_PASSPHRASE = "fem andra ord, å så bra"
HANDLER, HEAD, REGISTRAR, LAWYER = "Handläggare", "Enhetschef", "Registrator", "Verksjurist"
UNIT, LEGAL_UNIT = "Enheten för tillsyn", "Juridiska enheten"
UNITS = {LAWYER: LEGAL_UNIT}
"""Of who is not of UNIT, and is therefore asked before they are in a room."""
LAPTOP, LAPTOP_RENAMED = "Bärbar på resa", "Resedatorn på plan 3"

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
SUBJECT = "Saken: tillsyn enligt 12 kap. 3 §"
ORDER = (
    "Myndigheten avslutar ärendet med kritik och förelägger verksamheten att senast den 1 mars 2027 redovisa "
    "vilka åtgärder som har vidtagits."
)
BACKGROUND = "Den 3 september 2026 inkom en anmälan om brister i rutinerna."
REASONS = "Enligt 5 § ska verksamheten dokumentera varje avvikelse."
TOGETHER_A = " Verksamheten har yttrat sig."
TOGETHER_B = " Åtgärder ska vidtas så att den inte upprepas 🛠."
PLACE_FIRST = " Chefen skriver här."
PLACE_A = " Handläggaren skriver också här 🙂, på samma ställe."
PLACE_B = " Hon skriver vidare på det som redan står där."
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
    colour: str = ""


MASK = "Maska aktbilaga 14 före utlämnande"
REASONING = "Skriv skälen för beslutet"
CARDS = (
    Card(MASK, TODO, HEAD, "2026-11-26", "Brådskande", "red"),
    Card("Begär yttrande från kommunen", TODO, HANDLER, "2026-12-02"),
    Card("Boka avstämning med juridik", TODO, HEAD, "2026-12-03"),
    Card(REASONING, DOING, HANDLER, "2026-11-27", "Beslut", "blue"),
    Card("Granska bilagor 9–14", DOING, REGISTRAR, "2026-11-28", "Väntar svar", "yellow"),
    Card("Utkast till beslut", REVIEW, HEAD, "2026-11-27", "Beslut", "blue"),
    Card("Bekräfta mottagen anmälan", DONE, REGISTRAR, "2026-09-07"),
    Card("Begär in komplettering", DONE, HANDLER, "2026-10-12"),
)

PERMIT, COMPLAINT, UNIT_ROOM, LEGAL = "Tillstånd 2026-1102", "Klagomål 2026-0987", UNIT, "Juridiskt stöd"
PERMIT_TEXT = "Kompletteringen i tillståndsärendet kom i dag"
COMPLAINT_TEXT = "Svar på klagomålet senast 4 december"
UNIT_TEXT = "Veckomötet flyttas till klockan 10.00"
LEGAL_TEXT = "Det finns en ny vägledning om maskning"
DIRECT_TEXT = "Tack, jag läser utkastet i kväll"
REMINDER = "Avsnitt 3 är klart att läsas igenom,"

TEXTS = (
    ROOM, ARRIVED, ASKED, ANSWERED, CHANGED_FIRST, CHANGED, OFFLINE, AFTER, FILE_NAME, FILE_WORDS, DOCUMENT, BACKGROUND,
    PERMIT, COMPLAINT, PERMIT_TEXT, COMPLAINT_TEXT, UNIT_TEXT, LEGAL_TEXT, DIRECT_TEXT, REMINDER,
    REASONS, SUBJECT, ORDER, TOGETHER_A, TOGETHER_B, PLACE_FIRST, PLACE_A, PLACE_B,
    CUT_A, CUT_B, *LIST_ITEMS, *(card.title for card in CARDS),
)  # fmt: skip
"""Everything above that is written into the program: none of it may be found on the server or the wire. The unit's
name is left out, since the directory that the server serves has it too."""


def pdf() -> bytes:
    """A small file to send: one page of a PDF, plain enough that a search would find its words."""
    return b"%PDF-1.4\n% " + FILE_WORDS.encode() + b"\n" + bytes(range(256)) * 2000 + b"\n%%EOF\n"
