# SPDX-License-Identifier: EUPL-1.2
"""The errors of a chat, beside the common ones (FileTooLarge, BadFileName, FileUnreadable, Forbidden, NotFound).

WorldError
└── ChatFault               EmptyMessage · MessageTooLong
"""

from app.errors import WorldError


class ChatFault(WorldError):
    """A message that cannot be sent as it is."""


class EmptyMessage(ChatFault):
    """The message has neither text nor files."""

    code = "empty-message"


class MessageTooLong(ChatFault):
    """The text is longer than a message may be."""

    code = "message-too-long"
