# SPDX-License-Identifier: EUPL-1.2
"""The encrypted database of one account: changes, outbox and inbox, read models, search, sealed files, key slots.

`Store` (store.py) is the whole; the parts are one class and one file each. FORMAT.md gives every table and byte.
"""
