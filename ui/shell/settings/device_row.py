# SPDX-License-Identifier: EUPL-1.2
"""One of the person's own devices as a row: what it is, when it was last seen, and what can be done about it."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.devices.service import DeviceInfo
from ui.kit.buttons import TextButton
from ui.kit.card import IconLabel
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import day_or_time, tr

Ask = Callable[[DeviceInfo], object]


def device_name(device: DeviceInfo) -> str:
    """The device's name, or that it has none yet."""
    return device.name or tr("A device without a name")


class DeviceRow(QWidget):
    """A row of the settings that shows one of the person's devices. Its buttons call `rename` and `revoke` with the
    device that is shown when they are pressed."""

    def __init__(self, device: DeviceInfo, rename: Ask, revoke: Ask) -> None:
        super().__init__()
        self._device = device
        self._look = ""
        layout = line(self, spacing=10)
        self._icon = IconLabel("device", "muted", 20)
        layout.addWidget(self._icon)
        words = column(spacing=1)
        self._title = label("", "strong", wrap=True)
        self._about, self._seen = label("", "small", wrap=True), label("", "small", wrap=True)
        for text in (self._title, self._about, self._seen):
            words.addWidget(text)
        layout.addLayout(words, 1)
        self._rename = TextButton("", lambda: rename(self._device))
        self._revoke = TextButton("", lambda: revoke(self._device))
        layout.addWidget(self._rename)
        layout.addWidget(self._revoke)

    def show_device(self, device: DeviceInfo, *, ended: bool) -> None:
        """Shows `device` in this row, from now on. `ended`: this computer itself is revoked, so the buttons are hidden:
        no device can be changed from it."""
        self._device, name = device, device_name(device)
        self._show_look("muted" if device.revoked else "strong")
        self._title.setText(tr("{name} (this device)").format(name=name) if device.mine else name)
        for text, words in ((self._about, _about(device)), (self._seen, _seen(device))):
            text.setText(words)
            text.setVisible(bool(words))
        self._rename.show_text(tr("Rename"), tr("Rename: {name}").format(name=name))
        self._revoke.show_text(tr("Revoke …"), tr("Revoke: {name}").format(name=name))
        self._rename.setVisible(not device.revoked and not ended)
        self._revoke.setVisible(device.revocable and not ended)

    def _show_look(self, look: str) -> None:
        if look != self._look:
            self._look = look
            self._icon.set_icon("device", "faint" if look == "muted" else "muted")
            set_props(self._title, look=look)


def _about(device: DeviceInfo) -> str:
    version = f"Kansli {device.version}" if device.version else ""
    added = tr("added {when}").format(when=day_or_time(device.added))
    by = tr("by {name}").format(name=device.by) if device.by else ""
    return " · ".join(x for x in (device.system, version, " ".join(y for y in (added, by) if y)) if x)


def _seen(device: DeviceInfo) -> str:
    if device.revoked:
        return tr("Revoked: gets no new content.")
    parts = []
    if device.seen is not None:
        parts.append(tr("last seen {when}").format(when=day_or_time(device.seen)))
    if not device.mine and not device.revocable:
        parts.append(tr("older than this one: it is revoked from an older device, or by the agency"))
    text = " · ".join(parts)
    return text[:1].upper() + text[1:]
