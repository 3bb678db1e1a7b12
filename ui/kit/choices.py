# SPDX-License-Identifier: EUPL-1.2
"""The choices of a combo box, kept up to date while somebody may be choosing in it."""

from collections.abc import Hashable, Sequence

from PySide6.QtWidgets import QComboBox

from ui.kit.edits import Inserted, Moved, Removed, edits


def offer(box: QComboBox, choices: Sequence[tuple[str, Hashable]], chosen: Hashable) -> None:
    """Makes `choices`, each a text and its value, the items of a combo box, and the one with the value `chosen` the
    current one; if that is not among them, the first. The box emits `currentIndexChanged` as usual, never `activated`.
    Only items that are gone, new or at another place are removed and inserted; all others stay, so that a list that is
    open stays right."""
    before: list[Hashable] = [box.itemData(at) for at in range(box.count())]
    for edit in edits(before, [value for _, value in choices]):
        match edit:
            case Removed(first, count):
                for at in reversed(range(first, first + count)):
                    box.removeItem(at)
            case Moved(first, to):
                text, value = box.itemText(first), box.itemData(first)
                box.removeItem(first)
                box.insertItem(to, text, value)
            case Inserted(first, count):
                for at in range(first, first + count):
                    box.insertItem(at, *choices[at])
    for at, (text, _) in enumerate(choices):
        if box.itemText(at) != text:
            box.setItemText(at, text)
    place = next((at for at, (_, value) in enumerate(choices) if value == chosen), 0)
    if box.currentIndex() != place:
        box.setCurrentIndex(place)
