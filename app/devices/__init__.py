# SPDX-License-Identifier: EUPL-1.2
"""One's own devices: listed, renamed, revoked, let in, and what a revoked one had not sent."""
