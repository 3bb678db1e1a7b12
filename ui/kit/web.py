# SPDX-License-Identifier: EUPL-1.2
"""Opens web and mail addresses, and copies of files, in programs outside Kansli: the only place that does so. It asks
before it opens an address, and shows the true one."""

import textwrap
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.objects.addresses import host, opened, safe_link, shown
from ui.kit.dialogs import Dialog, show
from ui.kit.translate import tr

_LINE, _MOST = 52, 400
"""Characters of an address that are shown; its host is above them."""


async def open_address(parent: QWidget, address: str) -> None:
    """Asks, in a dialog over the widget `parent`, whether the web or mail `address` is to be opened outside Kansli, and
    opens it if the person agrees. Nothing happens with any other address."""
    link = safe_link(address)
    if host(link) and await show(_question(parent, link)):
        QDesktopServices.openUrl(QUrl(opened(link)))


def open_outside(path: Path) -> bool:
    """Opens a file, a working copy (app/copies), in the person's program for it. Returns whether the system has started
    one. ▲ Never call it with a file that app/viewing/danger.py has not let through."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def address_tip(address: str) -> str:
    """The tool tip of a link to `address`: the whole address. On a line above it is the host as a person reads it (with
    its ASCII form, xn--…, if it has unfamiliar letters), if the address does not have it like that. "" for an address
    that a link may not have."""
    link = safe_link(address)
    whole = shown(link)
    return whole if host(link) in whole else f"{host(link)}\n{whole}"


def _question(parent: QWidget, link: str) -> Dialog:
    mail = link.startswith("mailto:")
    title = tr("Write an e-mail?") if mail else tr("Open the web page?")
    dialog = Dialog(parent, title, accept=tr("Open"))
    dialog.add_text(_broken(host(link)), "strong")
    whole = shown(link)
    if whole.removeprefix("mailto:") != host(link):
        dialog.add_text(_broken(whole if len(whole) <= _MOST else whole[:_MOST] + "…"), "small")
    text = (
        tr("It opens in the e-mail program, outside the sealed room.")
        if mail
        else tr("It opens in the browser, outside the sealed room.")
    )
    dialog.add_text(text, "body")
    return dialog


def _broken(address: str) -> str:
    """The address in lines that fit a dialog: it has no spaces to break at."""
    return "\n".join(textwrap.wrap(address, _LINE, break_on_hyphens=False))
