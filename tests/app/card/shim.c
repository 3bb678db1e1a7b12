// SPDX-License-Identifier: EUPL-1.2
// A PKCS #11 library for tests: the one at REAL, but for one thing. Each mode plays a card or a library that fails.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong;
typedef ulong (*call)();
struct functions { unsigned char version[2]; call at[68]; };
enum { GET_TOKEN_INFO = 6, LOGIN = 18, GET_ATTRIBUTE = 24, DECRYPT_INIT = 33, DECRYPT = 34, FLAGS = 96 };
enum { LABEL = 3, KEY_TYPE = 0x100, ID = 0x102, ALWAYS_AUTHENTICATE = 0x202 };
struct attribute { ulong type; char *value; ulong length; };
enum { PIN_PAD = 1 << 8, COUNT_LOW = 1 << 16, FINAL_TRY = 1 << 17, LOCKED_NOW = 1 << 18 };

static struct functions ours, *real;
static int wrong = 0;

static ulong token_info(ulong slot, unsigned char *info) {
    ulong rv = real->at[GET_TOKEN_INFO](slot, info), *flags = (ulong *)(info + FLAGS);
#ifdef LOCKED
    *flags |= LOCKED_NOW;
#endif
#ifdef LOCKS
    if (wrong) *flags |= LOCKED_NOW;
#endif
#ifdef LAST
    *flags |= wrong ? FINAL_TRY : COUNT_LOW;
#endif
#ifdef PAD
    *flags |= PIN_PAD;
#endif
#ifdef OPEN
    *flags &= ~(ulong)4;  // CKF_LOGIN_REQUIRED: anybody may use it
#endif
    return rv;
}

static ulong login(ulong session, ulong user, char *pin, ulong length) {
    // a try that the test counts
    FILE *tries = fopen(TRIES, "a");
    if (tries) { fputc('x', tries); fclose(tries); }
#ifdef FORK  // a process of the library's own outlives the one that loaded it, with all that is open in it
    if (fork() == 0) { for (;;) pause(); }
#endif
#if defined HANG || defined FORK
    for (;;) pause();
#endif
#ifdef CRASH
    abort();
#endif
#ifdef NOISY
    printf("{\"type\":\"Done\"}\n{\"type\":\"Secret\"}\n"); fflush(stdout);
#endif
#ifdef PAD
    if (pin != NULL) return 0xA0;
    pin = PIN; length = strlen(PIN);
#endif
    ulong rv = real->at[LOGIN](session, user, pin, length);
    wrong = rv != 0;
    return rv;
}

static ulong decrypt_init(ulong session, ulong *mechanism, ulong key) {
#ifdef NO_OAEP
    if (*mechanism == 9) return 0x70;  // CKM_RSA_PKCS_OAEP, which it names: CKR_MECHANISM_INVALID
#endif
    return real->at[DECRYPT_INIT](session, mechanism, key);
}

static ulong decrypt(ulong session, void *in, ulong in_length, unsigned char *out, ulong *out_length) {
#ifdef PULLED
    return 0x32;  // CKR_DEVICE_REMOVED
#endif
    ulong rv = real->at[DECRYPT](session, in, in_length, out, out_length);
#ifdef WRONG
    if (rv == 0 && out) *out ^= 1;
#endif
    return rv;
}

// The first key of the card has an attribute that python-pkcs11 cannot read.
static ulong get_attribute(ulong session, ulong object, struct attribute *asked, ulong count) {
    ulong rv = real->at[GET_ATTRIBUTE](session, object, asked, count);
#if defined BAD_LABEL || defined BAD_TYPE || defined BAD_BOOLEAN
    char id[8] = {0};
    struct attribute which = {ID, id, sizeof id};
    if (real->at[GET_ATTRIBUTE](session, object, &which, 1UL) != 0 || id[0] != 1) return rv;
    for (ulong at = 0; at < count; at++) {
        if (asked[at].value == NULL || (long)asked[at].length < 1) continue;
#ifdef BAD_LABEL
        if (asked[at].type == LABEL) asked[at].value[0] = 0xE5;  // ISO 8859-1
#endif
#ifdef BAD_TYPE
        if (asked[at].type == KEY_TYPE) *(ulong *)asked[at].value = 0x80000001;  // the maker's own
#endif
#ifdef BAD_BOOLEAN
        if (asked[at].type == ALWAYS_AUTHENTICATE) asked[at].length = 3;
#endif
    }
#endif
    return rv;
}

ulong C_GetFunctionList(struct functions **list) {
    void *library = dlopen(REAL, RTLD_NOW);
    ((ulong (*)(struct functions **))dlsym(library, "C_GetFunctionList"))(&real);
    ours = *real;
    ours.at[GET_TOKEN_INFO] = (call)token_info;
    ours.at[LOGIN] = (call)login;
    ours.at[DECRYPT_INIT] = (call)decrypt_init;
    ours.at[GET_ATTRIBUTE] = (call)get_attribute;
    ours.at[DECRYPT] = (call)decrypt;
    *list = &ours;
    return 0;
}
