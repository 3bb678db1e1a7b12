# SPDX-License-Identifier: EUPL-1.2
"""Which files can be shown. A name only decides what a click on the file does; the bytes decide how it is read."""

PNG, JPEG, PDF, TEXT = "png", "jpeg", "pdf", "text"
PICTURES = (PNG, JPEG)
MAX_FILE_BYTES = 128 * 1024 * 1024
"""The largest file that is shown. Its process has 2 GiB of memory, and this program holds the file while it hands it
over."""
_BY_ENDING = {
    "png": PNG, "jpg": JPEG, "jpeg": JPEG, "jpe": JPEG, "pdf": PDF,
    "txt": TEXT, "md": TEXT, "csv": TEXT, "log": TEXT, "json": TEXT, "xml": TEXT, "ini": TEXT, "yaml": TEXT,
    "yml": TEXT,
}  # fmt: skip
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))
_PDF_WITHIN = 1024
"""A PDF may have other bytes before its first line; readers look for it this far."""
_TEXT_HEAD = 8192
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_PROGRAMS = (b"MZ", b"\x7fELF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"GIF8", b"\x1f\x8b")


def kind_of_name(name: str) -> str | None:
    """The kind that a file claims by its name's ending: PNG, JPEG, PDF or TEXT; None for a file that a click saves. The
    claim may be wrong: `kind_of` decides how the file is read."""
    _, dot, ending = name.rpartition(".")
    return _BY_ENDING.get(ending.lower()) if dot else None


def kind_of(data: bytes) -> str | None:
    """The kind of a file by its first bytes, whatever its name is: PNG, JPEG, PDF or TEXT; None for any other. Compares
    bytes and decodes nothing. Text is what has no zero byte in its first 8 KiB, or begins with UTF-16's mark."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return PDF
    if data.startswith(_PROGRAMS):
        return None
    return TEXT if data.startswith(_WIDE) or b"\0" not in data[:_TEXT_HEAD] else None
