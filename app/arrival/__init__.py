# SPDX-License-Identifier: EUPL-1.2
"""How a person comes to this computer, before there is a session: by an activation code, from another device of theirs,
or by the recovery sheet."""
