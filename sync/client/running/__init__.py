# SPDX-License-Identifier: EUPL-1.2
"""The life of the connection: dialling again and again, and what is at work from a sign-in to the connection's end."""
