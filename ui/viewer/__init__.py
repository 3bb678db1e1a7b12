# SPDX-License-Identifier: EUPL-1.2
"""The page that shows a received picture, PDF or text within the window. It knows no tool and writes no file; what it
shows comes from `app.viewing` as pixels and text."""
