# SPDX-License-Identifier: EUPL-1.2
"""The person's own devices and recovery sheet, maintained over a live connection."""
