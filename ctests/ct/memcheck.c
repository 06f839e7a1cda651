/* Marks every secret as undefined memory and counts, under valgrind, the
 * branches and addresses that depend on it.
 *
 *   valgrind -q --error-limit=no ./memcheck
 *
 * Prints a row for each computation and "N passed, N failed". */
#include "checks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

/* How many of these bytes depend on a secret. */
static size_t marked(const unsigned char *memory, size_t n)
{
    size_t all = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char bits;
        VALGRIND_GET_VBITS(memory + i, &bits, 1);
        all += bits != 0;
    }
    return all;
}

/* What the library made public in the running check: how often something
 * that depended on a secret, and how much of the awaited result did. */
static size_t disclosures, awaited, seen;

static void disclosed(void *memory, size_t n)
{
    size_t secret = marked(memory, n);
    disclosures += secret != 0;
    if (n == awaited)
        seen = secret;
    VALGRIND_MAKE_MEM_DEFINED(memory, n);
}

/* If the result does not depend on the secret, the marks were lost on the way
 * and a count of 0 says nothing. */
static int depends_on_secret(const struct check *check, const unsigned char *result)
{
    if (check->whole_flow)
        return disclosures > 0;
    if (check->discloses)
        return seen == check->discloses;
    return marked(result, RESULT) > 0;
}

/* What a generator gives is as secret as any key. */
static void secret_numbers(unsigned char *out, size_t n)
{
    static uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (unsigned char)(state >> 24);
    }
    VALGRIND_MAKE_MEM_UNDEFINED(out, n);
}

int main(void)
{
    unsigned passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (!RUNNING_ON_VALGRIND) {
        fputs("this program only works under valgrind\n", stderr);
        return 2;
    }
    make_public_values();
    fill = secret_numbers;
    otr_test_on_disclosure(disclosed);
    printf("secret-dependent branches and addresses, kernel %s\n", otr_test_kernel());
    for (size_t i = 0; i < number_of_checks; i++) {
        const struct check *check = &checks[i];
        unsigned char secret[SECRET], result[RESULT];
        secret_numbers(secret, sizeof secret);
        memset(result, 0, sizeof result);
        disclosures = seen = 0;
        awaited = check->discloses;
        unsigned before = VALGRIND_COUNT_ERRORS;
        check->run(secret, result);
        unsigned found = VALGRIND_COUNT_ERRORS - before;
        int good = check->leaks ? found > 0 : found == 0;
        if (!check->leaks && !depends_on_secret(check, result)) {
            printf("  the result does not depend on the secret\n");
            good = 0;
        }
        VALGRIND_MAKE_MEM_DEFINED(result, sizeof result);
        /* The comparison of secrets has a result that must be right. */
        if (check->whole_flow && (result[0] != 1 || result[1] != 0)) {
            printf("  wrong result: %d, %d\n", result[0], result[1]);
            good = 0;
        }
        printf("%-42s %8u  %s\n", check->name, found, good ? "pass" : "FAIL");
        *(good ? &passed : &failed) += 1;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
