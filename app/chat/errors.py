# SPDX-License-Identifier: EUPL-1.2
"""The errors of a chat, beside the common ones (FileTooLarge, BadFileName, FileUnreadable, Forbidden, NotFound).

WorldError
└── ChatFault               EmptyMessage · MessageTooLong
"""

from app.errors import WorldError


class ChatFault(WorldError):
    """Error: a message that cannot be sent as it is."""


class EmptyMessage(ChatFault):
    """Error: the message has neither text nor files."""

    code = "empty-message"


class MessageTooLong(ChatFault):
    """Error: the text is longer than a message may be."""

    code = "message-too-long"
