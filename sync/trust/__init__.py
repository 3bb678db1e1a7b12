# SPDX-License-Identifier: EUPL-1.2
"""Pure state machines over signed chains: bytes in, state or Reject out."""
