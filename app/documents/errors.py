# SPDX-License-Identifier: EUPL-1.2
"""Why a file cannot become a document, or a document a file. The sentences are in ui/errors/.

WorldError
├── PrintOff · PrinterRefused
└── ConversionFault         ImportTooLarge · ImportBomb · ImportEncrypted · ImportDamaged · ImportDoctype
                            ImportForeign · ImportEmpty · ConversionDied · ConversionUnavailable
                            ExportFull · ExportFailed
"""

from app.errors import WorldError


class ConversionFault(WorldError):
    """A file could not be converted, and nothing was changed. `where`: the name of the part of the file that is at
    fault, or ""."""

    def __init__(self, where: str = "") -> None:
        super().__init__(where)
        self.where = where


class ImportTooLarge(ConversionFault):
    """The file is larger, or has more text, than is read."""

    code = "import-too-large"


class ImportBomb(ConversionFault):
    """The file unpacks to more than its size explains, or to more parts than a document has."""

    code = "import-bomb"


class ImportEncrypted(ConversionFault):
    """The file is protected by a password."""

    code = "import-encrypted"


class ImportDamaged(ConversionFault):
    """The file says that it is a Word document and cannot be read as one."""

    code = "import-damaged"


class ImportDoctype(ConversionFault):
    """A part declares a document type or entities, which Word documents never do."""

    code = "import-doctype"


class ImportForeign(ConversionFault):
    """The file is of an unsupported kind: an old Word document, a PDF, OpenDocument, a program."""

    code = "import-foreign"


class ImportEmpty(ConversionFault):
    """The file has no content."""

    code = "import-empty"


class ConversionDied(ConversionFault):
    """The process that converts ended at the file, or took too long and was ended."""

    code = "conversion-died"


class ConversionUnavailable(ConversionFault):
    """The process that converts cannot be started."""

    code = "conversion-unavailable"


class ExportFull(ConversionFault):
    """There is no space on the disk for the exported file. Nothing is left of it."""

    code = "export-full"


class ExportFailed(ConversionFault):
    """The disk or folder refuses the exported file. Nothing is left of it."""

    code = "export-failed"


class PrintOff(WorldError):
    """The machine's policy forbids printing and saving as PDF."""

    code = "print-off"


class PrinterRefused(WorldError):
    """The printer refuses the document."""

    code = "printer-refused"


REFUSALS: dict[str, type[ConversionFault]] = {
    fault.code: fault
    for fault in (
        ImportTooLarge, ImportBomb, ImportEncrypted, ImportDamaged, ImportDoctype, ImportForeign, ImportEmpty,
    )
}  # fmt: skip
"""The faults that the process may answer in place of a document."""
