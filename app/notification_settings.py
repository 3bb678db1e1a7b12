# SPDX-License-Identifier: EUPL-1.2
"""The settings of notifications on the desktop: what of, how, and when. app/settings.py has them among all."""

from app.core.enums import Level
from app.setting import Setting

LEVELS = {"all": Level.ALL, "mentions": Level.MENTIONS, "none": Level.NOTHING}
"""What rings, by the value of NOTIFICATIONS."""
NOTIFICATIONS = Setting(
    key="notifications",
    default="all",
    label="Notify about",
    about="Which notifications the desktop shows while Kansli is not in front; the choice of only mentions includes "
    "everything else that concerns the person, such as replies, direct messages and tasks that they are given.",
    choices=(("all", "All messages"), ("mentions", "Only mentions"), ("none", "Nothing")),
    follows=True,
)
NOTIFICATION_CONTENT = Setting(
    key="notification-content",
    default="hidden",
    label="In notifications",
    about="Whether a notification shows the room and the beginning of the message.",
    choices=(("hidden", "That something came"), ("shown", "Room and message")),
    follows=True,
)
"""Hidden by default: a notification is also visible on a locked screen, and the desktop may keep it."""
NOTIFY_REACTIONS = Setting(
    key="notify-reactions",
    default=False,
    label="Reactions to my messages",
    about="Whether colleagues' reactions to the person's own messages are listed under Activity.",
    follows=True,
)
NOTIFICATION_SOUND = Setting(
    key="notification-sound",
    default=True,
    label="Sound with notifications",
    about="Whether the desktop plays its own sound with a notification.",
)
NOTIFICATION_WINDOW = Setting(
    key="notification-window",
    default=True,
    label="Notifications with buttons",
    about="Whether Kansli shows notifications in a small window of its own, with buttons, where the desktop has no "
    "service for them, as on Windows; otherwise the system shows them beside the tray's sign, without buttons.",
)
WORKING_DAYS = Setting(
    key="working-days",
    default="always",
    label="When to notify",
    about="When the desktop shows notifications; outside these hours it shows none, but unread messages and new "
    "notices are still counted.",
    choices=(
        ("always", "At any time"),
        ("weekdays", "Monday to Friday, in working hours"),
        ("every-day", "Every day, in working hours"),
    ),
    follows=True,
)
_HOURS = tuple(
    enumerate(
        (
            "00:00",
            "01:00",
            "02:00",
            "03:00",
            "04:00",
            "05:00",
            "06:00",
            "07:00",
            "08:00",
            "09:00",
            "10:00",
            "11:00",
            "12:00",
            "13:00",
            "14:00",
            "15:00",
            "16:00",
            "17:00",
            "18:00",
            "19:00",
            "20:00",
            "21:00",
            "22:00",
            "23:00",
        )
    )
)
"""Each with the whole hour that is stored."""
WORKING_FROM = Setting(
    key="working-from",
    default=7,
    label="Working hours from",
    about="The hour at which notifications begin.",
    choices=_HOURS,
    follows=True,
)
WORKING_TO = Setting(
    key="working-to",
    default=18,
    label="Working hours to",
    about="The hour at which notifications end.",
    choices=_HOURS,
    follows=True,
)
