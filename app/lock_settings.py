# SPDX-License-Identifier: EUPL-1.2
"""The settings of how Kansli locks, of the PIN that lifts the curtain, and of smart cards. app/settings.py has them
among all."""

from app.setting import Setting, is_local_path

CURTAIN, CLOSE = "curtain", "close"

LOCK = Setting(
    key="lock",
    default=CURTAIN,
    label="When Kansli locks",
    about="Whether a lock covers all windows while messages still come in, for at most four hours, or closes Kansli; "
    "it always closes when the computer sleeps or the person signs out, and where only a silent key store unlocks it.",
    choices=((CURTAIN, "Cover it and keep receiving"), (CLOSE, "Close it; nothing is received")),
)
ALLOW_PIN = Setting(
    key="allow-pin",
    default=True,
    label="Unlock with a PIN",
    about="Whether a PIN may unlock a Kansli that is running and covered; it never opens the stored content.",
    seen=False,
    stored=False,
)
PIN_LENGTH = Setting(
    key="pin-length",
    default=6,
    label="Shortest PIN",
    about="So many digits a PIN has at least; a shorter one that is in use no longer unlocks.",
    low=6,
    high=11,
    seen=False,
    stored=False,
)
ALLOW_CARD = Setting(
    key="allow-card",
    default=True,
    label="Unlock with a smart card",
    about="Whether the key to the content may be kept under a smart card, which asks for its own PIN each time.",
    seen=False,
    stored=False,
)
CARD_MODULE = Setting(
    key="card-module",
    default="",
    label="Library for smart cards",
    about="The whole path, on this computer, of the PKCS #11 library for the agency's smart cards; without it Linux's "
    "own (p11-kit) is used where there is one.",
    fits=is_local_path,
    seen=False,
    stored=False,
)
