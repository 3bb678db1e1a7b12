# SPDX-License-Identifier: EUPL-1.2
"""What rooms send to the server and read from it: each module is one kind of work on the shared link."""
