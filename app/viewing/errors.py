# SPDX-License-Identifier: EUPL-1.2
"""The errors of the viewer: why a file cannot be shown. The sentences are in ui/errors/.

WorldError
├── PrintRefused
└── ViewFault               ViewForeign · ViewDamaged · ViewTooLarge · ViewProtected · ViewEnded · ViewUnavailable
    └── OpensHarm           OpensProgram · OpensMacros · OpensRemote · OpensOldOffice · OpensUnchecked
"""

from app.errors import WorldError


class ViewFault(WorldError):
    """Error: a file cannot be shown. The file itself is unchanged, and can still be saved."""


class ViewForeign(ViewFault):
    """Error: the file's first bytes are those of no kind of file that the viewer shows."""

    code = "view-foreign"


class ViewDamaged(ViewFault):
    """Error: the file begins like one of a kind that the viewer shows, but cannot be decoded."""

    code = "view-damaged"


class ViewTooLarge(ViewFault):
    """Error: the file has too many bytes, or the picture too many pixels or scans (app/viewing/limits.py)."""

    code = "view-too-large"


class ViewProtected(ViewFault):
    """Error: the file can only be opened with a password."""

    code = "view-protected"


class ViewEnded(ViewFault):
    """Error: the process that reads the file is gone. It crashed, took too long, or gave an invalid answer, or the file
    was closed."""

    code = "view-ended"


class ViewUnavailable(ViewFault):
    """Error: the process that reads files cannot be started."""

    code = "view-unavailable"


class PrintRefused(WorldError):
    """Error: the printer does not begin or stops before the end, or the file has none of the pages that were chosen."""

    code = "view-print-refused"


class OpensHarm(ViewFault):
    """Error: the file is not opened in another program, since that could run what is in the file. It can only be
    saved."""


class OpensProgram(OpensHarm):
    """Error: the file is a program, a script, a shortcut, a disk image, or a page or picture with scripts, or an
    archive that has one of them."""

    code = "opens-program"


class OpensMacros(OpensHarm):
    """Error: the file holds macros."""

    code = "opens-macros"


class OpensRemote(OpensHarm):
    """Error: a program that opens the file fetches something from another computer, such as a template or a picture, or
    starts another program (DDE). That computer sees who opens the file, from where and when, and may send macros."""

    code = "opens-remote"


class OpensOldOffice(OpensHarm):
    """Error: the file is one of Office's old formats, which may hold macros."""

    code = "opens-old-office"


class OpensUnchecked(OpensHarm):
    """Error: it cannot be found out whether the file holds macros: it is damaged, protected by a password, or too
    large."""

    code = "opens-unchecked"


REFUSALS = {
    fault.code: fault
    for fault in (
        ViewForeign,
        ViewDamaged,
        ViewTooLarge,
        ViewProtected,
        OpensProgram,
        OpensMacros,
        OpensRemote,
        OpensUnchecked,
    )
}
"""The errors that the reading process may report, by their codes."""
