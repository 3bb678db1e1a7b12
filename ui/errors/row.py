# SPDX-License-Identifier: EUPL-1.2
"""What a table of sentences consists of. Each table is a module of this folder."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

Row: TypeAlias = tuple[str, str, str]
"""What happened, what it means for the work, and what to do: in the language in force, each a whole sentence."""

Rows: TypeAlias = Mapping[str, Callable[[], Row]]
"""By error code. A row is a function, because the language may change while the program runs."""
