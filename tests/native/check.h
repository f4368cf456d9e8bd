/* The checks of the C tests: a failed one prints file, line and what was found, and the program
 * goes on, so that one run shows all. main() ends with `return check_done();`.
 */
#ifndef HDR_LITE_CHECK_H
#define HDR_LITE_CHECK_H

#include <stdio.h>
#include <string.h>

static unsigned check_failures;

static inline void check_failed(const char *file, int line, const char *text)
{
    check_failures++;
    printf("%s:%d: failed: %s\n", file, line, text);
}

static inline void check_equal(const char *file, int line, const char *text, long long found,
                               long long expected)
{
    if (found == expected)
        return;
    check_failed(file, line, text);
    printf("    found %lld (0x%llx), expected %lld (0x%llx)\n", found, (unsigned long long)found,
           expected, (unsigned long long)expected);
}

static inline void check_string(const char *file, int line, const char *text, const char *found,
                                const char *expected)
{
    if (found && expected && strcmp(found, expected) == 0)
        return;
    check_failed(file, line, text);
    printf("    found    \"%s\"\n    expected \"%s\"\n", found ? found : "(null)",
           expected ? expected : "(null)");
}

/* Exit status of the test program. */
static inline int check_done(void)
{
    if (check_failures)
        printf("%u checks failed\n", check_failures);
    return check_failures != 0;
}

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
/* Integers of any type up to 64 bits. */
#define CHECK_EQ(found, expected)                                                                  \
    check_equal(__FILE__, __LINE__, #found " == " #expected, (long long)(found),                   \
                (long long)(expected))
#define CHECK_STR(found, expected)                                                                 \
    check_string(__FILE__, __LINE__, #found " == " #expected, found, expected)

#endif
