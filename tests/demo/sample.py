# SPDX-License-Identifier: EUPL-1.2
"""What the demo's people write: the pictures' content. Roles, never invented people."""

import struct
import zlib
from dataclasses import dataclass

ROOM = "Tillsyn 2026-1184"
PASSPHRASE = "fyra vanliga ord i rad"
NEXT_PASSPHRASE = "fem andra ord, å så bra"
HANDLER, HEAD, REGISTRAR, LAWYER = "Handläggare", "Enhetschef", "Registrator", "Verksjurist"
UNIT, LEGAL_UNIT = "Enheten för tillsyn", "Juridiska enheten"
UNITS = {LAWYER: LEGAL_UNIT}
"""Of who is not of UNIT, and is therefore asked before they are in a room."""
OWN_TASK = "Lämna in tidrapporten före helgen å 🙂"
LAPTOP, LAPTOP_RENAMED = "Bärbar på resa", "Resedatorn på plan 3"

ARRIVED = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 14."
ASKED = "Tack! Jag har lagt in uppgifterna i utkastet. Kan du titta på avsnitt 3,"
ANSWERED = (
    "Ser bra ut. Två saker innan vi skickar: lagrummet i skälen ska vara 5 § och inte 4 §, "
    "och vi behöver maska personnumret i bilagan."
)
CHANGED_FIRST = "Ändrat. Skapade en uppgift för masknigen:"
CHANGED = "Ändrat. Skapade en uppgift för maskningen: 👍"
RESTRICTED, PROTECTED = "Skyddade personuppgifter å 🔒", "Utredning om skyddad adress"
PROTECTED_TEXT = "Sökandens adress får inte framgå av någon handling i ärendet."
OFFLINE = "Jag sitter på tåget utan nät men skriver klart skälen ändå. 🚆"
COVERED = "Kommer medan handläggarens fönster är täckt. ☕"
AFTER = "Efter att juristen lämnat rummet: sekretessmarkeringen gäller åter alla bilagor."

FILE_NAME = "Komplettering.pdf"
PICTURE_NAME = "Skyltfönster å 🏢.png"
SHOWN = "Så här såg skylten ut vid besöket i går."
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
    PICTURE_NAME, SHOWN, OWN_TASK,
    PERMIT, COMPLAINT, PERMIT_TEXT, COMPLAINT_TEXT, UNIT_TEXT, LEGAL_TEXT, DIRECT_TEXT, REMINDER,
    REASONS, SUBJECT, ORDER, TOGETHER_A, TOGETHER_B, PLACE_FIRST, PLACE_A, PLACE_B,
    CUT_A, CUT_B, *LIST_ITEMS, *(card.title for card in CARDS),
)  # fmt: skip
"""Everything above that is written into the program: none of it may be found on the server or the wire. The unit's
name is left out, since the directory that the server serves has it too."""


def pdf() -> bytes:
    """A small file to send: a PDF of one page and some filling, plain enough that a search would find its words."""
    line = b"BT /F1 20 Tf 60 700 Td (" + FILE_WORDS.encode("cp1252") + b") Tj ET"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 842 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>> >> >>",
        _stream(line),
        font,
        _stream(bytes(range(256)) * 2000),
    ]
    made, places = b"%PDF-1.4\n% " + FILE_WORDS.encode() + b"\n", list[int]()
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table + end


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def picture(width: int = 480, height: int = 320) -> bytes:
    """A PNG of a coloured slope, as a picture to send."""
    rows = b"".join(
        b"\0" + b"".join(bytes((40 + 160 * x // width, 90 + 120 * y // height, 150)) for x in range(width))
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
