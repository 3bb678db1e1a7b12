# SPDX-License-Identifier: EUPL-1.2
"""The letters that act on the message in focus. Each begins the word in the menu, so it follows the language."""

from ui.kit.translate import tr


def reply_letter() -> str:
    """R for Reply, S for Svara."""
    return tr("R: reply")[0]


def edit_letter() -> str:
    """E for Edit, R for Redigera."""
    return tr("E: edit")[0]
