# SPDX-License-Identifier: EUPL-1.2
"""Sentences about the part of a paste that could not be taken."""

from ui.kit.translate import tr, trn


def left_out(pictures: int, tables: int = 0) -> str:
    """A sentence about the parts of a paste that could not be taken, such as "3 pictures and 1 table could not be
    pasted.", for these numbers of `pictures` and `tables`; "" if both are 0."""
    parts: list[str] = []
    if pictures:
        parts.append(trn("{n} picture", "{n} pictures", pictures).format(n=pictures))
    if tables:
        parts.append(trn("{n} table", "{n} tables", tables).format(n=tables))
    if not parts:
        return ""
    what = tr("{one} and {other}").format(one=parts[0], other=parts[1]) if len(parts) > 1 else parts[0]
    return tr("{what} could not be pasted.").format(what=what)


def left_out_files(count: int) -> str:
    """A sentence: that `count` files could not be pasted, and that they can be sent in the chat. (Their addresses would
    reveal a name and folders to everybody.)"""
    what = trn("{n} file", "{n} files", count).format(n=count)
    instead = trn("Send it in the chat.", "Send them in the chat.", count)
    return f"{tr('{what} could not be pasted.').format(what=what)} {instead}"


def no_text() -> str:
    """The sentence for a paste of which nothing was taken."""
    return tr("There was no text to paste.")
