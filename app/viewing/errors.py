# SPDX-License-Identifier: EUPL-1.2
"""Why a file cannot be shown. The sentences are in ui/errors/.

WorldError
└── ViewFault               ViewForeign · ViewDamaged · ViewTooLarge · ViewProtected · ViewEnded · ViewUnavailable
"""

from app.errors import WorldError


class ViewFault(WorldError):
    """Error: a file cannot be shown. The file itself is unchanged, and can still be saved."""


class ViewForeign(ViewFault):
    """Error: by its content the file is of no kind that is shown here."""

    code = "view-foreign"


class ViewDamaged(ViewFault):
    """Error: the file begins as one of a kind that is shown, and cannot be read to its end."""

    code = "view-damaged"


class ViewTooLarge(ViewFault):
    """Error: the file has more bytes, or the picture more pixels, than are shown."""

    code = "view-too-large"


class ViewProtected(ViewFault):
    """Error: the file is protected by a password."""

    code = "view-protected"


class ViewEnded(ViewFault):
    """Error: the process that reads the file ended at it, took too long and was ended, or gave an invalid answer."""

    code = "view-ended"


class ViewUnavailable(ViewFault):
    """Error: the process that reads files cannot be started."""

    code = "view-unavailable"


REFUSALS = {fault.code: fault for fault in (ViewForeign, ViewDamaged, ViewTooLarge, ViewProtected)}
"""The errors that the reading process itself may give, by their codes."""
