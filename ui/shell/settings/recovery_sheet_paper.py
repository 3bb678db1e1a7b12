# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet on paper: A4, in the language in force, the code in groups and as QR."""

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QFont, QPagedPaintDevice, QPageLayout, QPageSize, QPaintDevice, QPainter, QPdfWriter, QPen

from app.errors import BugError
from app.recovery import RecoverySheetPaper
from ui.kit import qr
from ui.kit.fonts import FAMILY, load_fonts
from ui.kit.translate import day, tr

MARGIN_MM = 20.0
_POINT_MM = 25.4 / 72
_A4_MM = (210.0, 297.0)
_QR_MM = 42.0
_GROUP_MM = 27.0
_VALUES_MM = 48.0


def pdf(paper: RecoverySheetPaper) -> bytes:
    """The recovery sheet as a PDF of one page. BugError if Qt does not draw it."""
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(target)
    writer.setTitle(tr("Recovery sheet"))
    writer.setCreator("Kansli")
    writer.setResolution(300)
    lay_out(writer)
    if not draw(paper, writer):
        raise BugError
    return bytes(target.data().data())


def lay_out(device: QPagedPaintDevice) -> None:
    """Sets the page of `device` to A4, upright, with a margin."""
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    page = QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, margins)
    page.setUnits(QPageLayout.Unit.Millimeter)
    page.setMargins(margins)
    device.setPageLayout(page)


def draw(paper: RecoverySheetPaper, device: QPaintDevice) -> bool:
    """Draws the recovery sheet on `device`, a page that `lay_out` has set up. Returns False if nothing can be drawn on
    it, or if the device refuses what was drawn."""
    painter = QPainter()
    if not painter.begin(device):
        return False
    try:
        _Page(painter, device.logicalDpiX()).draw(paper)
    finally:
        ended = painter.end()
    return ended


def _advice() -> tuple[str, ...]:
    """The sentences on the recovery sheet about how to keep it."""
    return (
        tr("Keep it where nobody else comes, such as a safe, and not with your computer. Make no photo of it."),
        tr("Whoever has it and an activation code in your name can become you. Nobody at the agency needs the code."),
        tr("A newer sheet makes this one worthless. Destroy it then."),
    )


def _steps() -> tuple[str, ...]:
    """The sentences on the recovery sheet about what to do when every device is lost, in order."""
    return (
        tr("Tell IT support at once: they revoke the lost devices and give you a code of two lines."),
        tr("Start Kansli on another computer and choose “I have lost my computer”."),
        tr("Enter the server, both lines of the activation code, and the code above or a picture of its QR code."),
        tr("If a device of yours is not revoked, it can object for a day. Then you are in."),
    )


class _Page:
    """Draws a recovery sheet on one page, from the top down, in millimetres. `dpi` is the resolution of `painter`."""

    def __init__(self, painter: QPainter, dpi: float) -> None:
        self._painter = painter
        self._mm = dpi / 25.4
        self._width_mm = _A4_MM[0] - 2 * MARGIN_MM
        self._y_mm = 0.0

    def draw(self, paper: RecoverySheetPaper) -> None:
        """Draws the whole recovery sheet."""
        load_fonts()
        self._text(tr("Recovery sheet"), 22, bold=True)
        self._text(tr("With it you get back into Kansli, content and all, when you have lost every device."), 11)
        self._gap(4)
        who = " · ".join(x for x in (paper.name, paper.title, paper.unit) if x)
        for name, value in (
            (tr("Person"), who),
            (tr("Server"), paper.server),
            (tr("Agency key"), paper.agency),
            (tr("Made"), day(paper.made_ms).isoformat()),
        ):
            self._row(name, value)
        self._gap(6)
        self._code(paper)
        self._gap(6)
        self._text(tr("What to do with this sheet"), 13, bold=True)
        for text in _advice():
            self._point("•", text)
        self._gap(4)
        self._text(tr("If you have lost your devices"), 13, bold=True)
        for step, text in enumerate(_steps(), start=1):
            self._point(f"{step}.", text)

    def _code(self, paper: RecoverySheetPaper) -> None:
        top, height = self._y_mm, _QR_MM + 8
        frame = self._rect(0, top, self._width_mm, height)
        self._painter.setPen(QPen(Qt.GlobalColor.black, 0.4 * self._mm))
        self._painter.drawRect(frame)
        qr.paint(
            self._painter, self._rect(self._width_mm - _QR_MM - 4, top + 4, _QR_MM, _QR_MM), qr.modules(paper.code)
        )
        self._y_mm = top + 6
        for at in range(0, len(paper.groups), 4):
            top_of_row = self._y_mm
            for column, group in enumerate(paper.groups[at : at + 4]):
                self._y_mm = top_of_row
                self._text(group, 19, bold=True, left=6 + column * _GROUP_MM)
            self._gap(3)
        hint = tr("Seven groups of four. 0 is a nought, 1 a one; there is no O, I, L or U.")
        self._text(hint, 9, left=6, right=_QR_MM + 8)
        self._y_mm = top + height

    def _point(self, mark: str, text: str) -> None:
        top = self._y_mm
        self._text(mark, 11)
        self._y_mm = top
        self._text(text, 11, left=7)

    def _row(self, name: str, value: str) -> None:
        top = self._y_mm
        self._text(name, 11, bold=True)
        bottom, self._y_mm = self._y_mm, top
        self._text(value, 11, left=_VALUES_MM)
        self._y_mm = max(bottom, self._y_mm)

    def _text(self, text: str, points: int, *, bold: bool = False, left: float = 0, right: float = 0) -> None:
        font = QFont(FAMILY)
        font.setPixelSize(round(points * _POINT_MM * self._mm))
        font.setBold(bold)
        self._painter.setFont(font)
        self._painter.setPen(Qt.GlobalColor.black)
        room = self._rect(left, self._y_mm, self._width_mm - left - right, 400)
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        used = self._painter.boundingRect(room, flags, text)
        self._painter.drawText(room, flags, text)
        self._y_mm += used.height() / self._mm + points * _POINT_MM * 0.35

    def _gap(self, mm: float) -> None:
        self._y_mm += mm

    def _rect(self, x: float, y: float, width: float, height: float) -> QRectF:
        return QRectF(x * self._mm, y * self._mm, width * self._mm, height * self._mm)
