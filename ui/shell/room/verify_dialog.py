# SPDX-License-Identifier: EUPL-1.2
"""Comparing keys with a person: sixty digits that both read, or the QR code of one read by the other."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from app.people.codes import Verdict
from app.people.person import Person, Verified
from ui.kit import qr, theme
from ui.kit.dialogs import Dialog
from ui.kit.fonts import font
from ui.kit.plain import Label
from ui.kit.qr_reader import QrReader
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.shell.words import verified_chip

Compare = Callable[[Sequence[str]], Verdict]
"""Judges the QR codes that were read, for the person. The same keys are stored as verified."""


class VerifyDialog(Dialog):
    """A dialog in which the person compares keys with `person`: it shows the sixty digits (`number`) that both compare,
    in person or over a call where they know each other's voice, and the code to be read by the other (`my_code`).
    `compare` gets the texts of the codes that are read from a picture or the screen and returns a Verdict; if the keys
    are the same, it stores that, and the dialog closes as rejected, with `same_by_code` True. Accepted: the numbers are
    the same, or, for a person who is verified already, the verification is to be removed."""

    def __init__(self, parent: QWidget, person: Person, number: str, my_code: str, compare: Compare) -> None:
        verified = person.verified == Verified.IN_PERSON
        title = tr("Verify {name}").format(name=person.name)
        accept = tr("Remove my verification") if verified else tr("The numbers are the same")
        super().__init__(parent, title, accept=accept, danger=verified, width=560)
        self._person, self._my_code, self._compare = person, my_code, compare
        self.same_by_code = False
        """Whether the person's code was read and is the same: then the mark is set, and there is nothing to accept."""
        self.add_text(verified_chip(person)[3], "strong")
        self.add_text(
            tr(
                "Compare the number with the one on {name}'s screen, when you meet or in a call with a voice you know."
            ).format(name=person.name),
            "body",
        )
        row = line(spacing=20)
        left = column(spacing=10)
        left.addWidget(SafetyNumber(number))
        self.reader = QrReader(tr("A picture of {name}'s code").format(name=person.name))
        self.reader.found.connect(self._on_texts)
        left.addWidget(self.reader, 0, Qt.AlignmentFlag.AlignHCenter)
        left.addStretch(1)
        row.addLayout(left, 1)
        right = column(spacing=6)
        right.addWidget(qr.QrCode(my_code, tr("Your own code, for {name} to read").format(name=person.name), 150))
        caption = label(tr("Your code"), "small")
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        right.addWidget(caption)
        row.addLayout(right)
        self.body.addLayout(row)
        self.outcome = label("", "small", wrap=True)
        self.outcome.hide()
        self.body.addWidget(self.outcome)
        self.add_text(
            tr("If they differ, someone may be listening in: do not write anything sensitive and contact IT security."),
            "small",
        )

    def _on_texts(self, texts: Sequence[str]) -> None:
        """Takes the `texts` of the QR codes in a picture or on the screen, without one's own code, which is on this
        screen too. If the person's code is among them and has the same keys, `compare` stores them as verified; this
        sets `same_by_code` and closes the dialog as rejected, since nothing is left to store. Otherwise shows why not:
        no code, another person's, or other keys. After other keys the button "The numbers are the same" is disabled;
        the button that removes a verification stays enabled. ▲ This dialog then reads no further code: a picture
        without a code would otherwise take the warning away."""
        if self.reader.isEnabled():
            run_guarded(self, lambda: self._judge([text for text in texts if text != self._my_code]))

    def _judge(self, texts: Sequence[str]) -> None:
        verdict = self._compare(texts)
        if verdict is Verdict.SAME:
            self.same_by_code = True
            self.reject()
            return
        text = {
            Verdict.NO_CODE: tr("No such QR code was found. Show the whole code, larger or sharper."),
            Verdict.OTHER_PERSON: tr("The code is not {name}'s.").format(name=self._person.name),
        }.get(
            verdict,
            tr("The keys are DIFFERENT from those that you were given. Write nothing sensitive; contact IT security."),
        )
        differ = verdict is Verdict.DIFFERENT
        set_props(self.outcome, look="error" if differ else "small")
        self.outcome.setText(text)
        self.outcome.show()
        self.reader.setEnabled(not differ)
        self.accept_button.setEnabled(not differ or self._person.verified == Verified.IN_PERSON)


class SafetyNumber(Label):
    """A label that shows the digits of a safety number in groups, one line under the other. They are painted here,
    since a style sheet has no digits of one width; a screen reader reads them out."""

    def __init__(self, number: str, parent: QWidget | None = None) -> None:
        super().__init__(safety_number_text(number), parent)
        self.setAccessibleName(tr("Safety number"))
        self.setAccessibleDescription(self.text())
        self.typeface = font(16, 500)
        self.typeface.setFeature(QFont.Tag("tnum"), 1)

    def sizeHint(self) -> QSize:
        return QFontMetrics(self.typeface).size(0, self.text()) + QSize(0, 8)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setFont(self.typeface)
        painter.setPen(theme.current().colour("text"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


def safety_number_text(number: str) -> str:
    """The sixty digits of a safety number (`number`) as three lines of four groups of five. The length is not
    checked."""
    groups = [number[i : i + 5] for i in range(0, len(number), 5)]
    return "\n".join("  ".join(groups[i : i + 4]) for i in range(0, len(groups), 4))
