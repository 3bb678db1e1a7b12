# SPDX-License-Identifier: EUPL-1.2
"""The errors of a chat, beside the common ones (FileTooLarge, BadFileName, FileUnreadable, Forbidden, NotFound).

WorldError
├── ChatFault               EmptyMessage · MessageTooLong · TooManyFiles
└── FileInOldRoom
"""

from app.errors import WorldError


class FileInOldRoom(WorldError):
    """Error: the message was carried over from the room that this one continues, and its file is only in that room.
    This person cannot fetch it there: they were no member of it, or the file was removed."""

    code = "file-in-old-room"


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
