# SPDX-License-Identifier: EUPL-1.2
"""What the screenshots show: the pictures' content, written by three real sessions through a real server.

The story's time is 24 November 2026, 14:03, whatever the day is: `StoryTime` moves the whole process there.
"""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from unittest.mock import patch

from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter

from app.chat.files import Picture
from app.chat.tool import TOOL as CHAT
from app.core.clock import local, now_ms
from app.core.enums import Presence, Role, RoomType
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.files import Source
from app.objects.links import ObjectLink
from app.richtext.flow import PLAIN, Block, Marks, Run, Style
from app.session import Session
from app.tasks.tool import TOOL as TASKS
from tests.app.viewing.samples import pdf
from tests.journeys.desks import Desk, Offices
from tests.world import until
from ui.chat.pictures import picture_of

DAY = (2026, 11, 24)
CASE, PERMIT, COMPLAINT = "Tillsyn 2026-1184", "Tillstånd 2026-1102", "Klagomål 2026-0987"
UNIT, LEGAL, EMPTY = "Enheten för tillsyn", "Juridiskt stöd", "Dokumenthanteringsplanens referensgrupp"
HANDLER, HEAD, REGISTRAR = "Handläggare", "Enhetschef", "Registrator"
DRAFT = "Utkast till beslut"
NO_OBJECT = ObjId(b"")


class StoryTime(AbstractContextManager["StoryTime"]):
    """The time of day for server and sessions; goes on from where it was set last."""

    def __init__(self) -> None:
        self._patched = patch.multiple(
            "time",
            time_ns=self._now_ns,
            clock_gettime_ns=lambda _clock: self._now_ns(),  # the server compares the two
        )
        self._base_ns = time.time_ns()
        self._since_ns = time.monotonic_ns()
        self.at(8, 0)

    def at(self, hour: int, minute: int, day: int = DAY[2]) -> None:
        """It is now that time of the story's month."""
        self._base_ns = int(datetime(*DAY[:2], day, hour, minute).astimezone().timestamp()) * 1_000_000_000
        self._since_ns = time.monotonic_ns()

    def _now_ns(self) -> int:
        return self._base_ns + time.monotonic_ns() - self._since_ns

    def __enter__(self) -> "StoryTime":
        self._patched.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._patched.stop()


@dataclass(slots=True)
class Story:
    """The offices with their rooms. `me` is the case handler, whose window is shown."""

    time: StoryTime
    offices: Offices
    me: Session
    desks: list[Desk]
    rooms: dict[str, RoomId] = field(default_factory=dict)
    draft: ObjId = NO_OBJECT
    card: str = ""
    """The card that is opened in the panel."""

    @property
    def head(self) -> Session:
        return self.desks[1].session

    @property
    def registrar(self) -> Session:
        return self.desks[2].session

    def uid(self, session: Session) -> Uid:
        return session.people.me.uid

    async def settle(self) -> None:
        """Until everything written has reached everybody."""
        sessions = [desk.session for desk in self.desks]
        await until(lambda: all(s.status.waiting == 0 for s in sessions))

        def stand() -> bool:
            for room in self.rooms.values():
                seen = {s.engine.position(room) for s in sessions if any(r.room == room for r in s.rooms.rooms())}
                if len(seen) > 1:
                    return False
            return True

        await until(stand)


async def fill(offices: Offices, clock: StoryTime, folder: Path) -> Story:
    """Hires three people and lets them write. `folder` takes the files that are sent."""
    clock.at(8, 0, 20)
    desks = await offices.hire(HANDLER, HEAD, REGISTRAR)
    story = Story(clock, offices, desks[0].session, desks)
    await _make_rooms(story)
    await _write_elsewhere(story, folder)
    await _write_case(story, folder)
    _write_draft(story)
    _fill_board(story)
    clock.at(14, 3)
    await story.settle()
    story.me.service(DOCUMENTS).index_now()
    await _verify(story)
    await _show_presence(story)
    return story


async def _show_presence(story: Story) -> None:
    """The head of the unit is away for some days, the registrar is busy, and the case handler sees it."""
    me, head, registrar = story.me.presence, story.head.presence, story.registrar.presence
    back_on = local(now_ms()).date() + timedelta(days=10)
    head.choose(Presence.DO_NOT_DISTURB, "Kurs i Malmö 🎓", back_on)
    registrar.choose(Presence.BUSY)
    for session in (story.head, story.registrar):
        session.presence.on_setting()  # sends it at once
    others = [(story.uid(story.head), Presence.DO_NOT_DISTURB), (story.uid(story.registrar), Presence.BUSY)]
    await until(lambda: all((seen := me.of(uid)) is not None and seen.state is state for uid, state in others))


async def _make_rooms(story: Story) -> None:
    me, head, registrar = story.me, story.uid(story.head), story.uid(story.registrar)
    for name in (HEAD, REGISTRAR):  # a room can only take those who were looked up
        await me.people.search(name)
    await story.head.people.search(HANDLER)
    for title, kind, others in (
        (COMPLAINT, RoomType.CASE, [registrar]),
        (PERMIT, RoomType.CASE, [registrar]),
        (UNIT, RoomType.GROUP, [head, registrar]),
        (EMPTY, RoomType.GROUP, []),
        (REGISTRAR, RoomType.DIRECT, [registrar]),
        (HEAD, RoomType.DIRECT, [head]),
        (CASE, RoomType.CASE, [head, registrar]),
    ):
        room = story.rooms[title] = await me.rooms.create(title, kind)
        for uid in others:
            role = Role.OWNER if kind is RoomType.DIRECT else Role.ADMIN if uid == head else Role.WRITER
            await me.rooms.add(room, uid, role, True)
    story.time.at(8, 15)
    chief = story.head
    room = story.rooms[LEGAL] = await chief.rooms.create(LEGAL, RoomType.GROUP)
    await chief.rooms.add(room, story.uid(me), Role.WRITER, True)
    everybody = [r for title, r in story.rooms.items() if title not in (EMPTY,)]
    await until(lambda: {r.room for r in me.rooms.rooms()} >= set(everybody))
    await until(lambda: all(me.service(CHAT).channel(r) for r in everybody))
    for other in (story.head, story.registrar):
        await until(lambda other=other: all(  # type: ignore[misc] # a default argument has no type
            other.service(CHAT).channel(r.room) for r in other.rooms.rooms())
            and bool(other.rooms.rooms()))  # fmt: skip
    for title in (CASE, UNIT):
        await until(lambda title=title: any(  # type: ignore[misc]
            r.room == story.rooms[title] and r.title for r in story.head.rooms.rooms()))  # fmt: skip
    await story.settle()


async def _write_elsewhere(story: Story, folder: Path) -> None:
    me, rooms, clock = story.me, story.rooms, story.time
    clock.at(8, 20)
    story.registrar.service(CHAT).send(rooms[COMPLAINT], "Svar senast 4 december")
    story.head.service(CHAT).send(rooms[LEGAL], "Ny vägledning om maskning")
    clock.at(8, 40)
    story.head.service(CHAT).send(rooms[UNIT], f"Veckomöte flyttas till 10.00. Kan du ta protokollet, @{HANDLER}?")
    story.head.service(CHAT).send(rooms[HEAD], "Tack, jag läser i kväll")
    story.registrar.service(CHAT).send(rooms[REGISTRAR], "Handlingen är diarieförd")
    await story.settle()
    first = story.registrar.service(CHAT).send(
        rooms[PERMIT],
        "Sökanden ringde: **kompletteringen** skickas i dag. Läs:\n- 12 kap. 3 §\n- `dnr 2026-1102`",
    )
    await story.settle()
    picture = folder / "Situationsplan över Ängsåkern.png"
    _draw(picture)
    shown: dict[Source, Picture] = {picture: found} if (found := picture_of(picture)) else {}
    story.time.at(8, 50)
    await story.registrar.service(CHAT).send_file(rooms[PERMIT], [picture], "Situationsplanen 🗺", pictures=shown)
    await story.settle()
    clock.at(8, 55)
    gone = me.service(CHAT).send(rooms[PERMIT], "Fel rum")
    me.service(CHAT).delete(rooms[PERMIT], gone)
    word = "Personuppgiftsbiträdesavtalsuppföljningsrutinbeskrivningen"
    own = me.service(CHAT).send(rooms[PERMIT], f"Då tar jag {word} först", reply_to=first)
    me.service(CHAT).edit(rooms[PERMIT], own, f"Kompletteringen kom i dag. Då tar jag {word} först 😀")
    await story.settle()


def _completion() -> bytes:
    """A PDF of three pages, of 1.8 MB as a scanned one is."""
    lines = ("Komplettering till 2026-1184", "Handl\\344ggaren har beg\\344rt in situationsplan och", "yttrande.")
    content = "".join(f"BT /F 16 Tf 60 {760 - 30 * n} Td ({line}) Tj ET " for n, line in enumerate(lines))
    return pdf(3, size="0 0 595 842", content=content) + b"\n%" + b"x" * 1_792_000


async def _write_case(story: Story, folder: Path) -> None:
    room, clock, me = story.rooms[CASE], story.time, story.me
    clock.at(9, 0)
    story.draft = me.service(DOCUMENTS).create(room, DRAFT)
    await story.settle()
    clock.at(9, 12)
    file = folder / "Komplettering.pdf"
    file.write_bytes(_completion())
    words = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 14."
    await story.registrar.service(CHAT).send_file(room, [file], words)
    await story.settle()
    clock.at(9, 31)
    link = ObjectLink(room=room, obj=story.draft, kind="document").to_text()
    text = f"Tack! Jag har lagt in uppgifterna i utkastet. [{DRAFT}]({link}) Kan du titta på avsnitt 3, @{HEAD}?"
    asked = me.service(CHAT).send(room, text)
    await story.settle()
    story.head.service(CHAT).react(room, asked, "👍")
    story.registrar.service(CHAT).react(room, asked, "👍")
    story.registrar.service(CHAT).react(room, asked, "👀")
    clock.at(10, 5)
    answer = story.head.service(CHAT).send(
        room,
        f"Ser bra ut. Två saker innan vi skickar, @{HANDLER}: lagrummet i skälen ska vara 5 § och inte 4 §, "
        "och vi behöver maska personnumret i bilagan.",
    )
    await story.settle()
    clock.at(13, 52)
    await _changed(story, answer)


async def _changed(story: Story, answer: ChangeId) -> None:
    room, me = story.rooms[CASE], story.me
    await until(lambda: me.service(TASKS).board_id(room) is not None)
    board = me.service(TASKS).board(room)
    mask = board.add_card(
        board.columns()[0].id,
        "Maska aktbilaga 14 före utlämnande",
        by=story.uid(me),
        assignee=story.uid(story.registrar),
        due=date(*DAY[:2], 26),
        description="Personnumret på sidan 3 och namnet på sidan 5.",
    )
    obj = me.service(TASKS).board_id(room)
    assert obj is not None  # waited for above
    link = ObjectLink(room=room, obj=obj, kind="board", ref=mask.encode()).to_text()
    text = f"Ändrat. Skapade en uppgift för maskningen: [Maska aktbilaga 14 före utlämnande]({link})"
    me.service(CHAT).send(room, text, reply_to=answer)
    story.card = mask
    await story.settle()


def _write_draft(story: Story) -> None:
    story.time.at(14, 0)
    bold, struck = Marks(bold=True), Marks(strike=True)
    h1, h2 = Style(heading=1), Style(heading=2)
    blocks = [
        _block("Beslut", style=h1),
        Block((Run("Saken:", bold), Run(" tillsyn enligt 12 kap. 3 §", PLAIN))),
        _block("1 Beslut", style=h2),
        _block("Myndigheten avslutar ärendet med kritik och förelägger verksamheten att"),
        _block("senast den 1 mars 2027 redovisa vilka åtgärder som har vidtagits,", style=Style(list="ol", indent=1)),
        _block("senast samma dag bifoga den nya rutinen.", style=Style(list="ol", indent=1)),
        _block("2 Bakgrund", style=h2),
        _block(
            "Den 3 september 2026 inkom en anmälan om brister i rutinerna. Verksamheten har yttrat sig och "
            "kompletterat uppgifterna i aktbilaga 14."
        ),
        _block("”Rutinen följdes inte, men har nu setts över.”", style=Style(quote=True)),
        _block("3 Skälen för beslutet", style=h2),
        Block((
            Run("Enligt ", PLAIN), Run("4", struck), Run(" 5 § ska verksamheten ", PLAIN),
            Run("dokumentera varje avvikelse", Marks(underline=True)),
            Run(" och vidta de åtgärder som behövs för att den inte ska upprepas. Av utredningen framgår att "
                "detta inte har skett i den omfattning som krävs, se ", PLAIN),
            Run("vägledningen", Marks(link="https://kansli.myndighet.example/vägledning")), Run(".", PLAIN),
        )),
    ]  # fmt: skip
    document = story.me.service(DOCUMENTS).open(story.draft)
    document.rewrite(0, len(document.blocks()), blocks)
    story.me.service(DOCUMENTS).close(story.draft)
    room = story.rooms[CASE]
    for title, text in (
        ("Sammanställning av avvikelser", "Tre avvikelser är återkommande: spårbarhet, uppföljning och ansvar."),
        ("Rutin: utlämnande av allmän handling", "Begäran prövas skyndsamt. Sekretessprövningen dokumenteras."),
    ):
        obj = story.me.service(DOCUMENTS).create(room, title)
        story.me.service(DOCUMENTS).open(obj).splice(0, 0, text)
        story.me.service(DOCUMENTS).close(obj)
        story.me.rooms.opened(room, obj)
    story.me.rooms.opened(room, story.draft)


def _block(text: str, style: Style = Style()) -> Block:  # noqa: B008 - a frozen value
    return Block((Run(text, PLAIN),), style)


def _fill_board(story: Story) -> None:
    room, me = story.rooms[CASE], story.me
    board, own = me.service(TASKS).board(room), story.uid(me)
    head, registrar = story.uid(story.head), story.uid(story.registrar)
    todo, doing, review, done = (c.id for c in board.columns())
    urgent = board.add_label("Brådskande", "danger")
    decision = board.add_label("Beslut", "accent")
    waits = board.add_label("Väntar svar", "warning")
    board.set_label(story.card, urgent, True)

    def card(column: str, title: str, who: Uid, due: tuple[int, int], *labels: str) -> str:
        day = date(DAY[0], *due)
        return board.add_card(column, title, by=own, assignee=who, due=day, labels=labels)

    def checks(of: str, texts: tuple[str, ...], ticked: int) -> None:
        for i, text in enumerate(texts):
            item = board.add_check_item(of, text)
            if i < ticked:
                board.toggle_check_item(of, item, True)

    card(todo, "Begär yttrande från kommunen", own, (12, 2))
    card(todo, "Boka avstämning med juridik", head, (12, 3))
    reasons = card(doing, "Skriv skälen för beslutet", own, (11, 27), decision)
    checks(reasons, ("Lagrum", "Praxis", "Parternas yttranden", "Bevisning", "Bedömning"), 3)
    card(doing, "Granska bilagor 9–14", registrar, (11, 28), waits)
    card(review, DRAFT, head, (11, 27), decision)
    card(done, "Bekräfta mottagen anmälan", registrar, (9, 7))
    card(done, "Begär in komplettering", own, (10, 12))
    checks(story.card, ("Personnummer sidan 3", "Namn sidan 5", "Kontrollera metadata"), 1)


async def _verify(story: Story) -> None:
    await until(lambda: bool(story.me.people.safety_number(story.uid(story.head))))
    story.me.people.mark_verified(story.uid(story.head), True)


def _draw(path: Path) -> None:
    """A picture to send: a plan, as it were."""
    image = QImage(960, 540, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    sky = QLinearGradient(0, 0, 960, 540)
    sky.setColorAt(0, QColor("#DCE8D2"))
    sky.setColorAt(1, QColor("#9DB58A"))
    painter.fillRect(image.rect(), sky)
    painter.setBrush(QColor("#C9B79C"))
    for x, y, w, h in ((120, 90, 220, 150), (420, 260, 300, 180), (740, 80, 120, 200)):
        painter.drawRect(x, y, w, h)
    painter.end()
    image.save(str(path))
