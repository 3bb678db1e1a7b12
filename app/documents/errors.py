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
    """Error: a file could not be converted, and nothing was changed. `where`: the name of the part of the file that is
    at fault, or ""."""

    def __init__(self, where: str = "") -> None:
        super().__init__(where)
        self.where = where


class ImportTooLarge(ConversionFault):
    """Error: the file is larger, or has more paragraphs and changes of format, than is read; or its first paragraph
    or table alone is too long. (Of a file with more text, only the beginning is read.)"""

    code = "import-too-large"


class ImportBomb(ConversionFault):
    """Error: the file unpacks to more than its size explains or than is read, or has more parts than a document has."""

    code = "import-bomb"


class ImportEncrypted(ConversionFault):
    """Error: the file is protected by a password."""

    code = "import-encrypted"


class ImportDamaged(ConversionFault):
    """Error: the file is a Word document by its name or content, and cannot be read as one."""

    code = "import-damaged"


class ImportDoctype(ConversionFault):
    """Error: a part declares a document type or entities, which Word documents never do, or is in an encoding that
    could hide that."""

    code = "import-doctype"


class ImportForeign(ConversionFault):
    """Error: the file is of an unsupported kind, by its extension or its content: an old Word document, a PDF,
    OpenDocument, a program."""

    code = "import-foreign"


class ImportEmpty(ConversionFault):
    """Error: the file has no text, and nothing else that would be counted, such as pictures."""

    code = "import-empty"


class ConversionDied(ConversionFault):
    """Error: the process that converts ended at the file, took too long and was ended, or gave an invalid answer."""

    code = "conversion-died"


class ConversionUnavailable(ConversionFault):
    """Error: the process that converts cannot be started, or conversions have ended with the session."""

    code = "conversion-unavailable"


class ExportFull(ConversionFault):
    """Error: there is no space on the disk, or in the person's quota, for the exported file. An existing file is
    unchanged."""

    code = "export-full"


class ExportFailed(ConversionFault):
    """Error: the disk or folder refuses the exported file, for any reason but lack of space. An existing file is
    unchanged."""

    code = "export-failed"


class PrintOff(WorldError):
    """Error: the machine's policy forbids printing and saving as PDF."""

    code = "print-off"


class PrinterRefused(WorldError):
    """Error: the printer refuses the document."""

    code = "printer-refused"


REFUSALS: dict[str, type[ConversionFault]] = {
    fault.code: fault
    for fault in (
        ImportTooLarge, ImportBomb, ImportEncrypted, ImportDamaged, ImportDoctype, ImportForeign, ImportEmpty,
    )
}  # fmt: skip
"""The faults that the process may answer in place of a document."""
