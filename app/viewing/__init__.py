# SPDX-License-Identifier: EUPL-1.2
"""Reads received files for the viewer, each in a process of its own. The program itself decodes nothing of a file.

`shown_file.ShownFile` is the program's side: it starts a process for one file and asks it for pages. `process` runs in
that process, with a reader for each kind of file (`pictures`, `pdf`, `plain_text`). `kinds` decides which files can be
shown. Only this package imports Pillow and pypdfium2.
"""
