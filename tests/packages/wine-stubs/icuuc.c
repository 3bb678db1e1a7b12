/* SPDX-License-Identifier: EUPL-1.2 */
/* For tests and builds under Wine only, never shipped: Windows has an icuuc.dll of its own, Wine has none, and Qt6Core
 * does not load without it. This one says that there are no converters; Qt then uses those it has itself. */

#define API __declspec(dllexport)
typedef int Status;
enum { FILE_ACCESS_ERROR = 4, ILLEGAL_ARGUMENT = 1 };

static void fail(Status *status, int code)
{
    if (status)
        *status = code;
}

API void *ucnv_open(const char *name, Status *status)
{
    fail(status, FILE_ACCESS_ERROR);
    return 0;
}

API const char *ucnv_getName(void *converter, Status *status)
{
    fail(status, ILLEGAL_ARGUMENT);
    return "";
}

API const char *ucnv_getStandardName(const char *name, const char *standard, Status *status)
{
    fail(status, ILLEGAL_ARGUMENT);
    return 0;
}

API void ucnv_close(void *converter) {}
API void ucnv_reset(void *converter) {}
API signed char ucnv_getMaxCharSize(void *converter) { return 1; }
API int ucnv_toUCountPending(void *converter, Status *status) { return 0; }
API int ucnv_fromUCountPending(void *converter, Status *status) { return 0; }
API const char *ucnv_getAvailableName(int at) { return 0; }
API int ucnv_countAvailable(void) { return 0; }

/* Never called: there is no converter to call them with. */
API void UCNV_FROM_U_CALLBACK_SUBSTITUTE(void) {}
API void UCNV_TO_U_CALLBACK_SUBSTITUTE(void) {}
API void ucnv_getToUCallBack(void) {}
API void ucnv_getFromUCallBack(void) {}
API void ucnv_setToUCallBack(void) {}
API void ucnv_setFromUCallBack(void) {}
API void ucnv_cbToUWriteUChars(void) {}
API void ucnv_cbFromUWriteUChars(void) {}
API void ucnv_toUnicode(void) {}
API void ucnv_fromUnicode(void) {}
