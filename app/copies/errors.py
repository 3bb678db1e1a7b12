# SPDX-License-Identifier: EUPL-1.2
"""The errors of opening a file in another program. The sentences are in ui/errors/.

WorldError
└── CopyFault               CopyInUse · NoProgram · DeviceRevoked · AccountEnded
"""

from app.errors import WorldError


class CopyFault(WorldError):
    """Error: a file cannot be opened in another program. The file itself is unchanged, and can still be saved."""


class CopyInUse(CopyFault):
    """Error: another run of the program has locked the working folder of this profile, or another user has made the
    folder, or a link is in its place."""

    code = "copy-in-use"


class NoProgram(CopyFault):
    """Error: the system has no program that opens the file, or cannot start it."""

    code = "no-program"


class DeviceRevoked(CopyFault):
    """Error: this device is revoked, so no file is written on it in plain any more."""

    code = "revoked"


class AccountEnded(CopyFault):
    """Error: the agency has ended this person's account, so no file is written on this device in plain any more."""

    code = "reset"
