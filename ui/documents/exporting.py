# SPDX-License-Identifier: EUPL-1.2
"""Export of a document: the entries of menus, and what each of them does."""

import re
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.documents.files import DocumentFiles
from app.errors import BadFileName
from app.objects.filenames import clean_name
from ui.documents import pdf
from ui.documents.paper import Paper, a4
from ui.kit import menu
from ui.kit.dialogs import save_file, show
from ui.kit.outside import Check, outside_entries, refusal
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.tool_views import toast

_LONGEST_NAME = 80
"""Characters of a proposed name: four bytes each leave room in the 255 that a name may have."""


def actions(widget: QWidget, files: DocumentFiles, obj: ObjId) -> Mapping[str, Callable[[], object]]:
    """The functions, without arguments, that print or export the document `obj`, by the window's names of these
    commands: "print", "export-docx", "export-pdf", "export-markdown"; without those that policy forbids now. Each
    starts a task that asks the person and shows errors; the task ends with `widget`, the parent of its dialogs."""
    checks = _checks(files)
    return {name: do for name, do in _all(widget, files, obj).items() if refusal(checks[name]) is None}


def entries(widget: QWidget, files: DocumentFiles, obj: ObjId) -> list[menu.Entry | None]:
    """Menu entries, with a heading above the exports, that print or export the document `obj`. Those that policy
    forbids are disabled, and a line says why. `widget` is the parent of dialogs; it must live while they are open. An
    error is shown."""
    does, checks = _all(widget, files, obj), _checks(files)

    def entry(text: str, name: str, icon: str = "export", shortcut: str = "") -> tuple[menu.Entry, Check]:
        return menu.Entry(text=text, icon=icon, shortcut=shortcut, run=does[name]), checks[name]

    return [
        *outside_entries(entry(tr("Print …"), "print", "print", "Ctrl+P")),
        menu.Entry(text=tr("Export as")),
        *outside_entries(
            entry(tr("Word (docx) …"), "export-docx"),
            entry(tr("PDF …"), "export-pdf"),
            entry(tr("Markdown …"), "export-markdown"),
        ),
    ]


def _all(widget: QWidget, files: DocumentFiles, obj: ObjId) -> Mapping[str, Callable[[], object]]:
    return {
        "print": lambda: run(widget, _print(widget, files, obj)),
        "export-docx": lambda: run(widget, _docx(widget, files, obj)),
        "export-pdf": lambda: run(widget, _pdf(widget, files, obj)),
        "export-markdown": lambda: run(widget, _markdown(widget, files, obj)),
    }


def _checks(files: DocumentFiles) -> Mapping[str, Check]:
    """What policy decides each of them, by the same names."""
    return {
        "print": files.check_print,
        "export-docx": files.check_export,
        "export-pdf": files.check_pdf,
        "export-markdown": files.check_export,
    }


async def _print(widget: QWidget, files: DocumentFiles, obj: ObjId) -> None:
    files.check_print()
    from ui.documents.preview import PrintPreview  # here: printing takes 1 MB that few need

    if await show(PrintPreview(widget, files, obj)):
        toast(widget, tr("The document is sent to the printer"))


async def _docx(widget: QWidget, files: DocumentFiles, obj: ObjId) -> None:
    files.check_export()
    await _save(widget, files, obj, "docx", tr("Word document"), partial(files.export_docx, obj))


async def _markdown(widget: QWidget, files: DocumentFiles, obj: ObjId) -> None:
    files.check_export()
    await _save(widget, files, obj, "md", tr("Markdown"), partial(files.export_markdown, obj))


async def _pdf(widget: QWidget, files: DocumentFiles, obj: ObjId) -> None:
    files.check_pdf()

    async def write(target: Path) -> None:
        title, blocks = files.content(obj)
        paper = Paper(title, blocks, a4())
        await paper.lay_out()
        await files.export_pdf(target, await pdf.make(paper))

    await _save(widget, files, obj, "pdf", tr("PDF"), write)


async def _save(
    widget: QWidget,
    files: DocumentFiles,
    obj: ObjId,
    suffix: str,
    kind: str,
    write: Callable[[Path], Coroutine[Any, Any, object]],
) -> None:
    """Asks where to save the exported document `obj`, at first under its title, awaits `write` with the path, and shows
    that the file is saved. Does nothing more if the person cancels. `suffix` is the file's extension without the dot,
    `kind` the name of the format in the dialog. NotFound if there is no such document; errors of `write` are raised."""
    title, _ = files.content(obj)
    name = f"{file_name(title)}.{suffix}"
    target = await save_file(widget, tr("Export"), name, f"{kind} (*.{suffix})", suffix)
    if target is not None:
        await write(target)
        toast(widget, tr("{name} is saved").format(name=target.name))


def file_name(title: str) -> str:
    """A safe name, to be proposed for the file of a document with this title, from its first 80 characters and without
    an extension; "Document", in the language in force, if nothing of the title can be used."""
    try:
        name = clean_name(re.sub(r"[/\\]", "-", title[:_LONGEST_NAME]))  # a case number has a slash
    except BadFileName:
        return tr("Document")
    return name.rstrip(". ")
