# SPDX-License-Identifier: EUPL-1.2
"""Copies of received files for the person's other programs, in plain, for as long as the session is open.

`service.WorkingCopies` opens them, keeps what a program changed in them encrypted, and removes them. `place` decides
where they are, `held` finds what another program still has open, `kept` encrypts changed copies. Which files may be
opened at all is decided in app/viewing/danger.py.
"""
