# SPDX-License-Identifier: EUPL-1.2
"""How it looks: PySide6 widgets, one folder per tool. Shows and asks; decides nothing."""
