# SPDX-License-Identifier: EUPL-1.2
"""The errors of a chat, beside the common ones (FileTooLarge, BadFileName, FileUnreadable, Forbidden, NotFound).

WorldError
└── ChatFault               EmptyMessage · MessageTooLong · TooManyFiles
"""

from app.errors import WorldError


class ChatFault(WorldError):
    """Error: a message that cannot be sent as it is."""


class EmptyMessage(ChatFault):
    """Error: the message would have neither text nor files, or a message with files was to be sent without a file."""

    code = "empty-message"


class MessageTooLong(ChatFault):
    """Error: the text is longer than a message may be."""

    code = "message-too-long"


class TooManyFiles(ChatFault):
    """Error: the message would have more files than a message may have."""

    code = "too-many-files"
