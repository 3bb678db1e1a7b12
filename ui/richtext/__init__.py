# SPDX-License-Identifier: EUPL-1.2
"""Rich text on screen: the editor, its binding to the model, carets of colleagues, find and replace. Knows no tool."""
