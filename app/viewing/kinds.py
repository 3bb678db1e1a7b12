# SPDX-License-Identifier: EUPL-1.2
"""Decides which files can be shown. A file's name only decides what a click does; its bytes decide how it is read."""

PNG, JPEG, PDF, TEXT = "png", "jpeg", "pdf", "text"
PICTURES = (PNG, JPEG)
PACKAGE = "package"
"""The kind of an archive, which is only searched for macros (package.py) and not shown."""
MAX_FILE_BYTES = 128 * 1024 * 1024
"""The most bytes of a file that is shown. Its process has 2 GiB of memory, and this program holds the file's bytes
while it sends them to the process."""
_BY_ENDING = {
    "png": PNG, "jpg": JPEG, "jpeg": JPEG, "jpe": JPEG, "pdf": PDF,
    "txt": TEXT, "md": TEXT, "csv": TEXT, "log": TEXT, "json": TEXT, "xml": TEXT, "ini": TEXT, "yaml": TEXT,
    "yml": TEXT,
}  # fmt: skip
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))
_PDF_WITHIN = 1024
"""A PDF may have other bytes before its first line, which is looked for in so many bytes, as other readers do."""
_TEXT_HEAD = 8192
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_PROGRAMS = (b"MZ", b"\x7fELF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"GIF8", b"\x1f\x8b")


def kind_of_name(name: str) -> str | None:
    """The kind that a file's name claims by its ending: PNG, JPEG, PDF or TEXT. None for every other name: a click then
    saves the file. The claim may be wrong; `kind_of` decides how the file is read."""
    _, dot, ending = name.rpartition(".")
    return _BY_ENDING.get(ending.lower()) if dot else None


def kind_of(data: bytes) -> str | None:
    """The kind of a file by its first bytes, whatever its name is: PNG, JPEG, PDF or TEXT; None for any other kind.
    Only compares bytes. TEXT is a file that begins with UTF-16's byte order mark or has no zero byte in its first 8
    KiB, and that does not begin like a program, an archive, an Office file, RTF or GIF."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return PDF
    if data.startswith(_PROGRAMS):
        return None
    return TEXT if data.startswith(_WIDE) or b"\0" not in data[:_TEXT_HEAD] else None
