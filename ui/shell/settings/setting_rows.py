# SPDX-License-Identifier: EUPL-1.2
"""One row for each setting, as its declaration says: a choice, a switch or a line. A row of a setting that policy has
fixed shows that."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from app.core.i18n import LANGUAGES
from app.errors import WorldError
from app.lock_settings import ALLOW_CARD
from app.setting import AnySetting, Setting, Value
from app.settings import ALLOW_KEYRING, ALLOW_PASSPHRASE, LANGUAGE, SETTINGS, Settings
from ui.errors import sentence_of
from ui.kit.bind import bind
from ui.kit.card import Card
from ui.kit.folding_row import FoldingRow
from ui.kit.plain import set_tip
from ui.kit.scale import hold
from ui.kit.style import column, label
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.tool_views import toast

_UNLOCKING = (ALLOW_KEYRING, ALLOW_PASSPHRASE, ALLOW_CARD)
"""The unlock methods have a card of their own, which shows what policy fixes."""
_WORDS_PX = 160
"""The least width of the words beside a control, at 100 %. In a narrower row the control is under the words."""


def choice_name(setting: Setting[Any], value: object) -> str:
    """The name of `value`, one of the choices of a setting, as a person reads it. Languages are called by their own
    names."""
    if setting is LANGUAGE:
        return LANGUAGES.get(str(value), str(value))
    return next((tr(name) for v, name in setting.choices if v == value), str(value))


def value_name(setting: AnySetting, value: Value) -> str:
    """The text for a value of a setting of any kind, such as "On" for True, or "None" for an empty one."""
    if isinstance(value, bool):
        return tr("On") if value else tr("Off")
    return choice_name(setting, value) or tr("None")


def row(name: str, control: QWidget, *, about: str = "", locked: bool = False) -> QWidget:
    """A row of the settings: `name`, the sentence `about`, and `control` at the right end. `locked`: policy has fixed
    the value, so the control is disabled."""
    words = column(spacing=1)
    caption = label(name, wrap=True)
    caption.setBuddy(control)
    words.addWidget(caption)
    if about:
        words.addWidget(label(about, "small", wrap=True))
    if locked:
        words.addWidget(label(tr("Managed by your organisation"), "small"))
    control.setAccessibleName(name)
    control.setEnabled(not locked)
    return FoldingRow(words, control, words_px=_WORDS_PX)


class SettingRows:
    """Makes rows in which a person changes a setting, and which follow its value. A change is stored at once; if it is
    refused, a message says why, and the row shows the value in force again. `owner` is the view that contains the
    rows."""

    def __init__(self, owner: QWidget, settings: Settings) -> None:
        self._owner, self._settings = owner, settings
        self._shown: dict[str, Callable[[], None]] = {}
        self.controls: dict[str, QWidget] = {}
        """The controls, by the settings' keys."""
        self.rows: dict[str, QWidget] = {}
        """The rows with name and control, by the settings' keys."""
        bind(owner, settings.changed, self._on_changed)

    def card(self, *settings: AnySetting, about: bool = False) -> Card:
        """A card with a row for each of these settings; `about` adds the sentence that says what a setting does."""
        card = Card(margin=12, spacing=10)
        for setting in settings:
            card.content.addWidget(self.row(setting, about=about))
        return card

    def row(self, setting: AnySetting, *, about: bool = False) -> QWidget:
        """Makes the row of one setting, with the control for its kind of value; `about` adds the sentence that says
        what it does."""
        control = self._control(setting)
        set_tip(control, tr(setting.about))
        control.setAccessibleDescription(tr(setting.about))
        self.controls[setting.key] = control
        text = tr(setting.about) if about else ""
        made = row(tr(setting.label), control, about=text, locked=self._settings.locked(setting))
        self.rows[setting.key] = made
        return made

    def _control(self, setting: AnySetting) -> QWidget:
        if setting.choices:
            return self._choice(setting)
        return self._switch(setting) if isinstance(setting.default, bool) else self._line(setting)

    def _choice(self, setting: Setting[Any]) -> QWidget:
        box = keep_still(QComboBox())
        hold(box, least_width=220)
        for value, _ in setting.choices:
            box.addItem(choice_name(setting, value), value)
        self._follow(setting, lambda value: box.setCurrentIndex(box.findData(value)))
        box.activated.connect(lambda: self._set(setting, box.currentData()))
        return box

    def _switch(self, setting: Setting[Any]) -> QWidget:
        box = QCheckBox()
        self._follow(setting, box.setChecked)
        box.clicked.connect(lambda on: self._set(setting, on))
        return box

    def _line(self, setting: Setting[Any]) -> QWidget:
        field = QLineEdit()
        hold(field, width=260)

        def show(text: str) -> None:
            field.setText(text)
            field.setCursorPosition(0)  # a long one is shown from its beginning

        self._follow(setting, show)
        field.editingFinished.connect(lambda: self._set(setting, field.text().strip()))
        return field

    def _follow(self, setting: Setting[Any], show: Callable[[Any], object]) -> None:
        def read() -> None:
            show(self._settings.get(setting))

        read()
        self._shown[setting.key] = read

    def _set(self, setting: Setting[Any], value: object) -> None:
        try:
            self._settings.set(setting, value)
        except WorldError as e:
            toast(self._owner, sentence_of(e).text)
        finally:  # also after a fault of ours, which the hook reports
            self._shown[setting.key]()

    def _on_changed(self, key: str) -> None:
        if key in self._shown:
            self._shown[key]()


def managed(settings: Settings) -> Card | None:
    """A card with those settings that policy has fixed and that no other part of the page shows; None if there are
    none."""
    fixed = [s for s in SETTINGS if not s.seen and settings.locked(s) and s not in _UNLOCKING]
    if not fixed:
        return None
    card = Card(margin=12, spacing=10)
    for setting in fixed:
        value = value_name(setting, settings.value(setting))
        text = label(value, "muted", wrap=True)
        card.content.addWidget(row(tr(setting.label), text))
        text.setAccessibleName(value)
    return card
