# SPDX-License-Identifier: EUPL-1.2
"""Rooms: a set of people and a key. Members, roles, invitations, and the objects inside."""
