# SPDX-License-Identifier: EUPL-1.2
"""Decides which received files may be opened in another program. Programs, scripts and files with macros are only
saved: opening one would run what a stranger wrote. So are documents that fetch something from another computer when
they are opened.

The name, and bytes at the beginning and end, are judged here, by comparing only. What an archive (OOXML, ODF), a file
of markup or an RTF file holds is looked up in a process of its own (`package`).
"""

import re

from app.viewing.errors import OpensMacros, OpensOldOffice, OpensProgram, OpensUnchecked

PACKAGE = b"PK\x03\x04"
"""How a ZIP archive begins, such as a document of OOXML or ODF."""
_PROGRAM_ENDINGS = {
    # programs, installers and libraries
    "exe", "com", "scr", "pif", "cpl", "dll", "ocx", "sys", "drv", "msi", "msp", "mst", "msix", "msixbundle", "appx",
    "appxbundle", "appinstaller", "application", "gadget", "deb", "rpm", "apk", "run", "bin", "elf", "appimage",
    "flatpak", "flatpakref", "snap", "jar", "jnlp", "class", "app", "dmg", "pkg", "command", "workflow", "action",
    "appref-ms", "xbap", "vsix", "vsto", "wsb", "msu", "ops", "job", "grp", "shb", "shs", "ps2", "ps2xml", "msh",
    "msh1", "msh2", "mshxml", "prg", "gms", "oxt", "xpi", "crx", "wasm", "swf", "whl", "egg", "air",
    # scripts
    "bat", "cmd", "ps1", "psm1", "psd1", "ps1xml", "psc1", "vb", "vbs", "vbe", "js", "jse", "mjs", "cjs", "ws", "wsf",
    "wsc", "wsh", "hta", "sct", "sh", "bash", "zsh", "ksh", "csh", "fish", "py", "pyw", "pyc", "pyz", "pl", "pm",
    "rb", "lua", "php", "tcl", "awk", "scpt", "applescript", "osa", "reg", "inf", "ins", "isp", "mof",
    # pages and pictures that run scripts in the browser
    "htm", "html", "xht", "xhtml", "shtml", "mht", "mhtml", "svg", "svgz", "xsl", "xslt",
    # shortcuts, and files that fetch or start something else
    "lnk", "url", "desktop", "webloc", "website", "scf", "library-ms", "search-ms", "searchconnector-ms",
    "settingcontent-ms", "theme", "themepack", "diagcab", "msc", "rdp", "ica", "chm", "hlp", "iqy", "oqy", "dqy",
    "rqy", "slk", "odc", "udl", "xll", "xla", "xlam", "wll", "ppa", "ppam", "contact", "xnk", "mcf", "printerexport",
    "diagcfg", "diagpkg", "webpnp", "inetloc", "fileloc", "terminal", "mobileconfig", "directory", "kdelnk",
    # images of disks, whose files lose their mark
    "iso", "img", "vhd", "vhdx", "cab",
}  # fmt: skip
_MACRO_ENDINGS = {
    "docm", "dotm", "xlsm", "xltm", "xlsb", "pptm", "potm", "ppsm", "sldm", "vsdm", "vssm", "vstm",
    "accdb", "accde", "accdr", "accda", "accdu", "mdb", "mde", "mda", "mdw", "ade", "adp", "one", "onepkg",
}  # fmt: skip
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa",
    b"L\x00\x00\x00\x01\x14\x02\x00", b"[Desktop Entry]", b"[InternetShortcut]", b"!<arch>\n", b"\xed\xab\xee\xdb",
    b"MSCF", b"ITSF",
)  # fmt: skip
_OLD_ENDINGS = {
    "doc", "dot", "wiz", "xls", "xlt", "xlw", "xlm", "xlc", "ppt", "pot", "pps", "pub", "vsd", "vss", "vst", "mpp",
    "mpt",
}  # fmt: skip
"""Office opens several formats under these, some older than OLE; only RTF and archives are known to be without macros,
or are looked through."""
RICH_TEXT = b"{\\rt"
"""How an RTF file begins: as much as Word asks for."""
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_BYTES = 64 * 1024
_ARCHIVE_END, _END_BYTES = b"PK\x05\x06", 64 * 1024 + 22
_SCRIPTS = (b"<script", b"<html", b"<svg", b"<!doctype html", b"<?xml-stylesheet")
_NAMED_SCRIPT = re.compile(rb":script[\s/>]")
"""As any XML may have it, under a name of its own for HTML."""
_MACROS = (
    b"library-embedded", b"script:event-listener", b"vnd.sun.star.script", b"macrospresent", b"word.document",
    b"powerpoint.show", b"office/word/2003", b"2006/xmlpackage",
)  # fmt: skip
"""In flat ODF, and in the documents of Word and PowerPoint that are one file of XML."""
_PAGE = (b"mime-version:", b"multipart/related")
"""A page saved with its parts (MHTML), as which Word takes documents with macros, too."""
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def check_name(name: str) -> None:
    """Checks a file's name before the file is fetched. OpensProgram or OpensMacros if its ending is that of a program,
    script or file with macros."""
    ending = _ending(name)
    if ending in _PROGRAM_ENDINGS:
        raise OpensProgram
    if ending in _MACRO_ENDINGS:
        raise OpensMacros


def check_bytes(data: bytes, name: str = "") -> bool:
    """Checks a file's bytes, whatever its name is. OpensProgram for a program or script, and for a page or picture with
    scripts; OpensOldOffice for an old file of Office (OLE), which may hold macros that only Office finds, and for what
    only its `name` makes one; OpensMacros for a document of XML with macros; OpensUnchecked for XML that declares
    entities. Returns whether `package` must look too: into an archive, or through markup or RTF. Takes some 100 µs."""
    begins = _unmarked(data[:_HEAD_BYTES])  # ▲ copies of a whole long file would hold the event loop
    if begins.startswith(_PROGRAMS):
        raise OpensProgram
    if begins.startswith(_OLD_OFFICE):
        raise OpensOldOffice
    head = _letters(begins)
    if is_markup(data):
        check_markup(head)
    if all(mark in head for mark in _PAGE) and _ending(name) != "eml":
        raise OpensProgram
    if _ending(name) in _OLD_ENDINGS and not begins.startswith((PACKAGE, RICH_TEXT)):
        raise OpensOldOffice
    return is_archive(data) or is_markup(data) or is_rich_text(data)


def is_rich_text(data: bytes) -> bool:
    """Whether programs take a file for RTF, whatever its name says."""
    return _unmarked(data[:_HEAD_BYTES]).lstrip().startswith(RICH_TEXT)


def is_archive(data: bytes) -> bool:
    """Whether programs may take a file for an archive: by its beginning or ▲ its end, whatever is before that, such as
    a picture."""
    return data.startswith(PACKAGE) or _ARCHIVE_END in data[-_END_BYTES:]


def is_markup(data: bytes, head_bytes: int = _HEAD_BYTES) -> bool:
    """Whether a file begins with a tag, after blanks; also if it begins with more than `head_bytes` of nothing but
    blanks."""
    begins = _letters(_unmarked(data[:head_bytes])).lstrip()
    return begins.startswith(b"<") or (not begins and len(data) > head_bytes)


def check_markup(data: bytes) -> None:
    """Checks markup, or a part of it: OpensMacros, OpensProgram; OpensUnchecked if it declares entities, by which all
    else could be hidden. Takes 1 s for some 100 MB."""
    letters = _letters(data)
    if any(mark in letters for mark in _MACROS):
        raise OpensMacros
    if any(mark in letters for mark in _SCRIPTS) or _NAMED_SCRIPT.search(letters):
        raise OpensProgram
    if b"<!entity" in letters:
        raise OpensUnchecked


def _unmarked(data: bytes) -> bytes:
    """Without the byte order marks at its beginning."""
    for mark in _BOMS:
        data = data.removeprefix(mark)
    return data


def _letters(data: bytes) -> bytes:
    """In lower case, and of UTF-16, in which every other byte is zero, as of UTF-8."""
    return data.lower().replace(b"\0", b"")


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower().strip()
