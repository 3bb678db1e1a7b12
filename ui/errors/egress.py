# SPDX-License-Identifier: EUPL-1.2
"""Sentences about egress: the proxy, the allowed servers, and where the data folder is."""

from app.core.i18n import tr
from ui.errors.row import Rows

EGRESS: Rows = {
    "proxy-failed": lambda: (
        tr("The network's proxy does not let Kansli through."),
        tr("You can go on reading and writing; it is sent when the connection is back."),
        tr("Check the proxy under Settings, or contact IT support. Kansli tries again by itself."),
    ),
    "proxy-auth": lambda: (
        tr("The network's proxy asks for a name and a password."),
        tr("Kansli keeps none for it, and is not let through. You can go on reading and writing."),
        tr("Contact IT support: the proxy must let Kansli through to the agency's server."),
    ),
    "proxy-missing": lambda: (
        tr("Kansli is set to use a proxy, and none is named."),
        tr("Nothing is connected to. You can go on reading and writing; it is sent when a proxy is named."),
        tr(
            "Name the proxy under Settings. If your organisation manages that, tell IT support: the policy "
            "proxy-mode asks for a proxy, and proxy-address is missing, empty or left out."
        ),
    ),
    "proxy-script": lambda: (
        tr("Kansli is set to find its proxy by a script, and this computer cannot run one."),
        tr("Nothing is connected to. You can go on reading and writing; it is sent when that is changed."),
        tr(
            "Choose another way under Settings. If your organisation manages that, tell IT support: the policy "
            "proxy-mode is pac, which works on Windows only."
        ),
    ),
    "egress": lambda: (
        tr("Your organisation does not allow Kansli to connect to this server."),
        tr("Nothing has been sent there."),
        tr("Check the server's address. Contact IT support if it is right."),
    ),
    "server-not-named": lambda: (
        tr("Your organisation no longer names the server {address}, which your account uses."),
        tr("Kansli does not connect to it. Read and write as usual; what you write is sent later."),
        tr("Contact IT support: the policy “servers” must name the server's address."),
    ),
    "server-unproven": lambda: (
        tr("The server at {address} has not proved that it is your agency's."),
        tr("Kansli does not use it, and nothing of yours has been sent there."),
        tr("Contact IT support: it is another server, or one that does not know that it goes by this address."),
    ),
    "data-on-network": lambda: (
        tr("Kansli's folder lies on a network drive."),
        tr("An encrypted database is not safe there, so nothing has been opened or made."),
        tr("Contact IT support: the folder must lie on a disk of this computer."),
    ),
    "data-of-another": lambda: (
        tr("Kansli's folder belongs to another user of this computer."),
        tr("Whoever made it could exchange what is in it, so nothing has been opened or made."),
        tr("Contact IT support: each user needs a folder that nobody else can write in."),
    ),
}
