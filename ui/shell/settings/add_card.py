# SPDX-License-Identifier: EUPL-1.2
"""The dialog that adds a smart card as an unlock method: which card, its PIN, and which of its keys."""

from collections import Counter
from collections.abc import Hashable, Sequence

from PySide6.QtWidgets import QComboBox, QWidget

from app.card.errors import NoCard
from app.unlocking import CardKey, Token, Unlocking
from ui.kit.choices import offer
from ui.kit.plain import Label
from ui.kit.scale import hold
from ui.kit.style import label
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.shell.entry.card_field import CardField
from ui.shell.settings.passphrase_dialog import PassphraseDialog


class AddCardDialog(PassphraseDialog):
    """A dialog that adds a smart card to the unlock methods `keys`. It asks for the present passphrase if `current`;
    otherwise the computer's key store proves who asks. If several cards are in readers, the person chooses one. If the
    card has several keys that Kansli can use, the first *Add* adds nothing: the dialog stays open, and the person
    chooses a key and gives the card's PIN once more."""

    def __init__(self, parent: QWidget | None, keys: Unlocking, current: bool) -> None:
        self._keys = keys
        self._tokens: Sequence[Token] = ()
        self.card: CardField | None = None
        super().__init__(
            parent, tr("Add a smart card"),
            tr(
                "A person who has the card and its PIN can then open Kansli on this computer. The card asks for its "
                "PIN each time."
            ),
            accept=tr("Add"), verify=lambda _: self._add(), current=current,
        )  # fmt: skip
        self.cards, self._cards_caption = self._box(tr("Which card"))
        self.card = CardField(self._look)
        self.body.addWidget(self.card)
        self.key_note = label(
            tr("The card has several keys. Choose one, and give the PIN once more."), "small", wrap=True
        )
        self.body.addWidget(self.key_note)
        self.key_note.hide()
        self.card_keys, self._keys_caption = self._box(tr("Which of the card's keys"))
        self.cards.currentIndexChanged.connect(self._on_card)
        self.card.changed.connect(self.refresh_button)
        self.card.begin()
        self.refresh_button()

    def may_accept(self) -> bool:
        return super().may_accept() and self.card is not None and self.card.ready

    def _box(self, name: str) -> tuple[QComboBox, Label]:
        """A hidden box with a caption, below what the dialog has so far."""
        box, caption = keep_still(QComboBox()), label(name, "label")
        box.setAccessibleName(name)
        hold(box, least_height=34)
        caption.setBuddy(box)
        for part in (caption, box):
            self.body.addWidget(part)
            part.hide()
        return box, caption

    async def _look(self) -> Token:
        self._tokens = await self._keys.cards()
        if not self._tokens:
            raise NoCard
        chosen = self.cards.currentData()
        _show(self.cards, self._cards_caption, [(token.name, at) for at, token in enumerate(self._tokens)], chosen)
        at: int = self.cards.currentData()
        return self._tokens[at]

    def _on_card(self) -> None:
        at = self.cards.currentData()
        if self.card is not None and isinstance(at, int) and at < len(self._tokens):
            self._forget_keys()
            self.card.show_token(self._tokens[at])

    async def _add(self) -> bool:
        if self.card is None or self.card.token is None:
            return False
        token, pin = self.card.token, self.card.proof.pin
        self.card.field.clear()
        key_id = self.card_keys.currentData() if not self.card_keys.isHidden() else None
        passphrase = self.current.text() if self.current is not None else None
        found = await self._keys.add_card(passphrase, token, pin, key_id)
        if found:
            _show(self.card_keys, self._keys_caption, _named(found), None)
            self.key_note.show()
            self.card.field.setFocus()
        return not found

    def _forget_keys(self) -> None:
        for part in (self.card_keys, self._keys_caption, self.key_note):
            part.hide()


def _named(keys: Sequence[CardKey]) -> list[tuple[str, Hashable]]:
    """(name, number) of each key. The name has the number too, if several keys have the same."""
    count = Counter(key.name for key in keys)
    return [(key.name if count[key.name] == 1 else f"{key.name} ({key.id.hex()})", key.id) for key in keys]


def _show(box: QComboBox, caption: Label, choices: Sequence[tuple[str, Hashable]], chosen: Hashable) -> None:
    """Offers the choices; the box is hidden where there is nothing to choose."""
    offer(box, choices, chosen)
    for part in (box, caption):
        part.setVisible(len(choices) > 1)
