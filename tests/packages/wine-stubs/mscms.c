/* SPDX-License-Identifier: EUPL-1.2 */
/* For tests and builds under Wine only, never shipped: Wine's own mscms.dll lacks two functions that Qt's platform
 * plugin asks for. This one says that no screen has a colour profile. */

#define API __declspec(dllexport)
enum { NOT_IMPLEMENTED = 0x80004001 };

API void *OpenColorProfileW(void *profile, unsigned access, unsigned share, unsigned mode) { return 0; }
API int CloseColorProfile(void *profile) { return 1; }
API int GetColorProfileFromHandle(void *profile, void *buffer, unsigned *size) { return 0; }
API void *WcsCreateIccProfile(void *profile, unsigned options) { return 0; }
API int GetStandardColorSpaceProfileW(void *machine, unsigned space, void *name, unsigned *size) { return 0; }
API int GetColorDirectoryW(void *machine, void *name, unsigned *size) { return 0; }

API int ColorProfileGetDisplayDefault(void *scope, unsigned adapter, unsigned source, int kind, int sub, int id, void **name)
{
    return NOT_IMPLEMENTED;
}

API int ColorProfileGetDisplayUserScope(void *adapter, unsigned id, unsigned source, int *scope)
{
    return NOT_IMPLEMENTED;
}
