# SPDX-License-Identifier: EUPL-1.2
"""Parts of every view that know no tool: theme, icons, binding, tasks, dialogs and small widgets."""
