# SPDX-License-Identifier: EUPL-1.2
"""Files of word processors into documents and out of them, in a process of its own for each file.

`converter` is the program's side; `process` is what runs in the process, which alone imports python-docx, lxml and the
Markdown parser; `wire` is what the two say to each other.
"""
