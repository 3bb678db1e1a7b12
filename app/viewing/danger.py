# SPDX-License-Identifier: EUPL-1.2
"""Decides which received files may be opened in another program. Programs, scripts and files with macros are only
saved: opening one would run what a stranger wrote.

The name and the first bytes are judged here, by comparing only. What an archive holds (OOXML, ODF) is looked up in a
process of its own (`package`).
"""

from app.viewing.errors import OpensMacros, OpensOldOffice, OpensProgram

PACKAGE = b"PK\x03\x04"
"""How a ZIP archive begins, such as a document of OOXML or ODF."""
_PROGRAM_ENDINGS = {
    # programs, installers and libraries
    "exe", "com", "scr", "pif", "cpl", "dll", "ocx", "sys", "drv", "msi", "msp", "mst", "msix", "msixbundle", "appx",
    "appxbundle", "appinstaller", "application", "gadget", "deb", "rpm", "apk", "run", "bin", "elf", "appimage",
    "flatpak", "flatpakref", "snap", "jar", "jnlp", "class", "app", "dmg", "pkg", "command", "workflow", "action",
    # scripts
    "bat", "cmd", "ps1", "psm1", "psd1", "ps1xml", "psc1", "vb", "vbs", "vbe", "js", "jse", "mjs", "cjs", "ws", "wsf",
    "wsc", "wsh", "hta", "sct", "sh", "bash", "zsh", "ksh", "csh", "fish", "py", "pyw", "pyc", "pyz", "pl", "pm",
    "rb", "lua", "php", "tcl", "awk", "scpt", "applescript", "osa", "reg", "inf", "ins", "isp", "mof",
    # pages and pictures that run scripts in the browser
    "htm", "html", "xht", "xhtml", "shtml", "mht", "mhtml", "svg", "svgz", "xsl", "xslt",
    # shortcuts, and files that fetch or start something else
    "lnk", "url", "desktop", "webloc", "website", "scf", "library-ms", "search-ms", "searchconnector-ms",
    "settingcontent-ms", "theme", "themepack", "diagcab", "msc", "rdp", "ica", "chm", "hlp", "iqy", "oqy", "dqy",
    "rqy", "slk", "odc", "udl", "xll", "xla", "xlam", "wll", "ppa", "ppam",
    # images of disks, whose files lose their mark
    "iso", "img", "vhd", "vhdx", "cab",
}  # fmt: skip
_MACRO_ENDINGS = {
    "docm", "dotm", "xlsm", "xltm", "xlsb", "pptm", "potm", "ppsm", "sldm",
    "accdb", "accde", "accdr", "mdb", "mde", "ade", "adp", "one",
}  # fmt: skip
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa",
    b"L\x00\x00\x00\x01\x14\x02\x00", b"[Desktop Entry]", b"[InternetShortcut]", b"!<arch>\n", b"\xed\xab\xee\xdb",
    b"MSCF", b"ITSF",
)  # fmt: skip
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_BYTES = 64 * 1024
_ACTIVE = (b"<script", b"<html", b"<svg", b"<!doctype html", b"library-embedded", b"script:event-listener")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def check_name(name: str) -> None:
    """Checks a file's name before the file is fetched. OpensProgram if its ending is that of a program, script, page or
    picture with scripts, shortcut or disk image; OpensMacros if it is that of a file with macros."""
    ending = name.rpartition(".")[2].lower().strip()
    if ending in _PROGRAM_ENDINGS:
        raise OpensProgram
    if ending in _MACRO_ENDINGS:
        raise OpensMacros


def check_bytes(data: bytes) -> bool:
    """Checks the first 64 KiB of a file, `data`, whatever its name is. OpensProgram for a program or script, and for a
    page or picture with scripts; OpensOldOffice for an old file of Office (OLE), which may hold macros that only Office
    finds; OpensMacros for a flat ODF file with macros. Returns whether the file is an archive, in which `package` must
    look too. Takes under 1 ms, however long the file is."""
    data = data[:_HEAD_BYTES]  # ▲ otherwise the copies below of a long file would hold the event loop
    for mark in _BOMS:
        data = data.removeprefix(mark) if data.startswith(mark) else data
    if data.startswith(_PROGRAMS):
        raise OpensProgram
    if data.startswith(_OLD_OFFICE):
        raise OpensOldOffice
    head = data.lower().replace(b"\0", b"")  # UTF-16 has every other byte zero
    if head.lstrip().startswith(b"<") and any(mark in head for mark in _ACTIVE):
        raise OpensMacros if b"office:document" in head else OpensProgram
    return data.startswith(PACKAGE)
