# SPDX-License-Identifier: EUPL-1.2
"""The settings of how Kansli locks, and of the PIN that lifts the curtain. app/settings.py has them among all."""

from app.setting import Setting

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
