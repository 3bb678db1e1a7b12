# SPDX-License-Identifier: EUPL-1.2
"""Converts files of word processors into documents and back, in a separate process for each file.

`converter` is the program's side; `process` runs in the process, which alone imports python-docx, lxml and the Markdown
parser; `wire` has their messages.
"""
