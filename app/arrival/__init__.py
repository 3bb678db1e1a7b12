# SPDX-License-Identifier: EUPL-1.2
"""The ways for a person to get an account on this computer, before there is a session: an activation code, another
device of theirs, or the recovery sheet."""
