# SPDX-License-Identifier: EUPL-1.2
"""The rights that the worker gives up on Windows: it puts itself into a job, lowers its own token, and asks for
mitigations.

It does so itself, before it reads the first byte from a colleague, and cannot take any of it back. So the program need
not start it by CreateProcessAsUser, which Python's subprocess cannot do. Structures and numbers: winnt.h of the Windows
SDK.
"""

import ctypes
import sys

_UNTRUSTED = "S-1-16-0"
"""The lowest integrity level: nothing of a higher level, such as the user's files and windows, can be written."""
_SE_GROUP_INTEGRITY = 0x20
_TOKEN_ACCESS = 0x8 | 0x20 | 0x80  # query, adjust privileges, adjust default
_TOKEN_PRIVILEGES, _TOKEN_INTEGRITY_LEVEL = 3, 25
_SE_PRIVILEGE_REMOVED = 0x4
_JOB_UI, _JOB_LIMITS = 4, 9
_ONE_PROCESS, _PROCESS_MEMORY, _DIE_ON_EXCEPTION = 0x8, 0x100, 0x400
_ALL_OF_UI = 0xFF
_MITIGATIONS = (
    (2, 1),  # no new executable memory
    (4, 1),  # no calls of the window system
    (6, 1),  # no extension points
    (10, 1 | 2),  # no library from another computer, none of a low integrity level
    (13, 1),  # no child process
)
"""Number and flags of each policy for SetProcessMitigationPolicy."""


class _BasicLimits(ctypes.Structure):
    """Windows' structure JOBOBJECT_BASIC_LIMIT_INFORMATION: the first part of `_Limits`."""

    _fields_ = [
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    ]


class _Limits(ctypes.Structure):
    """Windows' structure JOBOBJECT_EXTENDED_LIMIT_INFORMATION, by which this process is given a limit of memory and may
    start no other process."""

    _fields_ = [
        ("basic", _BasicLimits),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process", ctypes.c_size_t),
        ("peak_job", ctypes.c_size_t),
    ]


class _Label(ctypes.Structure):
    """Windows' structure TOKEN_MANDATORY_LABEL, by which this process is given the lowest integrity level."""

    _fields_ = [("sid", ctypes.c_void_p), ("attributes", ctypes.c_uint32)]


class _Privilege(ctypes.Structure):
    """Windows' structure LUID_AND_ATTRIBUTES: one privilege of this process, which it gives up."""

    _fields_ = [("low", ctypes.c_uint32), ("high", ctypes.c_int32), ("attributes", ctypes.c_uint32)]


if sys.platform == "win32":
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel.GetCurrentProcess.restype = ctypes.c_void_p
    _kernel.CreateJobObjectW.restype = ctypes.c_void_p
    _kernel.SetInformationJobObject.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32]
    _kernel.AssignProcessToJobObject.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    _advapi.OpenProcessToken.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
    _advapi.GetTokenInformation.argtypes = [
        ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p,
    ]  # fmt: skip
    _advapi.SetTokenInformation.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32]
    _advapi.AdjustTokenPrivileges.argtypes = [
        ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    _advapi.ConvertStringSidToSidW.argtypes = [ctypes.c_wchar_p, ctypes.c_void_p]
    _advapi.GetLengthSid.argtypes = [ctypes.c_void_p]

    def _join_job(memory_bytes: int) -> None:
        """Puts this process into a job that allows it no second process, at most `memory_bytes` of memory, no error
        boxes and no use of the desktop. The job lasts as long as the process: its handle is never closed."""
        job = _kernel.CreateJobObjectW(None, None)
        limits = _Limits()
        limits.basic.flags = _ONE_PROCESS | _PROCESS_MEMORY | _DIE_ON_EXCEPTION
        limits.basic.processes = 1
        limits.process_memory = memory_bytes
        ui = ctypes.c_uint32(_ALL_OF_UI)
        _kernel.SetInformationJobObject(job, _JOB_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
        _kernel.SetInformationJobObject(job, _JOB_UI, ctypes.byref(ui), ctypes.sizeof(ui))
        _kernel.AssignProcessToJobObject(job, _kernel.GetCurrentProcess())

    def _token() -> ctypes.c_void_p:
        token = ctypes.c_void_p()
        _advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_ACCESS, ctypes.byref(token))
        return token

    def _drop_privileges() -> None:
        """Removes every privilege from this process's token, which even its owner cannot put back."""
        token, size = _token(), ctypes.c_uint32()
        _advapi.GetTokenInformation(token, _TOKEN_PRIVILEGES, None, 0, ctypes.byref(size))
        found = ctypes.create_string_buffer(max(size.value, ctypes.sizeof(ctypes.c_uint32)))
        if not _advapi.GetTokenInformation(token, _TOKEN_PRIVILEGES, found, size, ctypes.byref(size)):
            return
        count = ctypes.c_uint32.from_buffer(found).value
        for privilege in (_Privilege * count).from_buffer(found, ctypes.sizeof(ctypes.c_uint32)):
            privilege.attributes = _SE_PRIVILEGE_REMOVED
        _advapi.AdjustTokenPrivileges(token, False, found, 0, None, None)

    def _lower_integrity() -> None:
        sid = ctypes.c_void_p()
        if not _advapi.ConvertStringSidToSidW(_UNTRUSTED, ctypes.byref(sid)):
            return
        label = _Label(sid, _SE_GROUP_INTEGRITY)
        size = ctypes.sizeof(label) + _advapi.GetLengthSid(sid)
        _advapi.SetTokenInformation(_token(), _TOKEN_INTEGRITY_LEVEL, ctypes.byref(label), size)

    def _mitigate() -> None:
        for policy, flags in _MITIGATIONS:
            value = ctypes.c_uint32(flags)
            _kernel.SetProcessMitigationPolicy(policy, ctypes.byref(value), ctypes.sizeof(value))

    def confine(memory_bytes: int) -> None:
        """Gives up every right of this process that Windows allows to drop, and bounds its memory. Older versions of
        Windows lack some mitigations, which are left out."""
        _join_job(memory_bytes)
        _drop_privileges()
        _lower_integrity()
        _mitigate()
