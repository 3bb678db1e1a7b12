# SPDX-License-Identifier: EUPL-1.2
"""Shows what is in a received file without giving its bytes to any reader in this process.

`shown_file.ShownFile` is the program's side: it starts a process for one file and asks it for pages. `process` runs in
that process, with a reader for each kind of file (`pictures`, `pdf`, `plain_text`). `kinds` says which files can be
shown. Only this package imports Pillow and pypdfium2.
"""
