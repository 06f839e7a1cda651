/* The table of computations on secrets. */
#include "checks.h"

#include <string.h>

fill_function *fill;
size_t dh_exponent = 40;

static unsigned char base[192];    /* a group element */
static unsigned char numbers[424]; /* a DSA key: p, q, g, y, x */
static const unsigned char value[32] = "a value that is signed publicly";

void make_public_values(void)
{
    static const unsigned char exponent[40] = "a public number, made into an element.";
    otr_test_pow_g(exponent, sizeof exponent, base);
    otr_test_dsa_numbers(numbers);
}

/* Diffie-Hellman: 320 bits; SMP: 1536 bits. */
static void dh_power(const unsigned char *s, unsigned char *r) { otr_test_pow(base, s, dh_exponent, r); }
static void dh_public(const unsigned char *s, unsigned char *r) { otr_test_pow_g(s, 40, r); }
static void smp_power(const unsigned char *s, unsigned char *r) { otr_test_pow(base, s, 192, r); }
static void smp_public(const unsigned char *s, unsigned char *r) { otr_test_pow_g(s, 192, r); }
static void smp_table(const unsigned char *s, unsigned char *r) { otr_test_pow_table(base, s, 192, r); }
static void session_keys(const unsigned char *s, unsigned char *r) { otr_test_session_keys(base, s, dh_exponent, r); }
static void exchange_keys(const unsigned char *s, unsigned char *r) { otr_test_exchange_keys(base, s, dh_exponent, r); }

static void smp_response(const unsigned char *s, unsigned char *r)
{
    otr_test_respond(s, s + 64, 192, value, r);
}

static void encryption(const unsigned char *s, unsigned char *r)
{
    memcpy(r, s + 64, 100);
    otr_test_encrypt(s, s + 16, r, 100, r + 128);
}

static void comparison(const unsigned char *s, unsigned char *r)
{
    r[0] = (unsigned char)otr_test_equal(s, s + 32, 20);
    r[1] = (unsigned char)otr_test_equal(s, s, 32);
}

void public_numbers(unsigned char *out, size_t n)
{
    static unsigned char next = 1;
    for (size_t i = 0; i < n; i++)
        out[i] = next++;
}

/* Signs with the secret in the place of x, if x is secret, and with k from x
 * and random numbers. */
static void sign(const unsigned char *x, fill_function *numbers_for_k, unsigned char *r)
{
    unsigned char key[sizeof numbers];
    memcpy(key, numbers, sizeof key);
    if (x) {
        /* Any x below q will do for signing: its highest byte stays small. */
        memcpy(key + 405, x, 19);
        key[404] = 0;
    }
    otr_test_dsa_sign(key, value, numbers_for_k, r);
}

static void dsa_x_and_k(const unsigned char *s, unsigned char *r) { sign(s, fill, r); }
/* Both must be seen to arrive, each alone: here only x, there only what k is made with. */
static void dsa_x(const unsigned char *s, unsigned char *r) { sign(s, public_numbers, r); }
static void dsa_k(const unsigned char *s, unsigned char *r) { (void)s, sign(NULL, fill, r); }

static void comparison_of_secrets(const unsigned char *s, unsigned char *r)
{
    r[0] = (unsigned char)otr_test_smp(s, s, fill);
    r[1] = (unsigned char)otr_test_smp(s, s + 32, fill);
}

static void planted_power(const unsigned char *s, unsigned char *r) { otr_test_planted_power(base, s, dh_exponent, r); }
static void planted_branch(const unsigned char *s, unsigned char *r) { r[0] = (unsigned char)otr_test_planted_branch(s); }
static void planted_lookup(const unsigned char *s, unsigned char *r) { r[0] = (unsigned char)otr_test_planted_lookup(s); }

static void planted_loop(const unsigned char *s, unsigned char *r)
{
    unsigned n = 0;
    while (n < 100 && (s[n / 8] >> n % 8 & 1))
        n++;
    r[0] = (unsigned char)n;
}

const struct check checks[] = {
    {"D-H power", dh_power, 0, 0, 0, 0},
    {"D-H public value", dh_public, 0, 0, 0, 0},
    {"SMP power, 1536-bit exponent", smp_power, 0, 0, 1, 0},
    {"SMP power of 2, 1536-bit exponent", smp_public, 0, 0, 1, 0},
    {"SMP power from a table, secret base", smp_table, 0, 0, 1, 0},
    {"SMP response r - x c", smp_response, 0, 0, 0, 0},
    {"SMP, both sides, exponents and secret", comparison_of_secrets, 0, 1, 1, 0},
    {"DSA signature, x and k", dsa_x_and_k, 0, 0, 0, 40},
    {"DSA signature, x", dsa_x, 0, 0, 0, 40},
    {"DSA signature, k", dsa_k, 0, 0, 0, 40},
    {"keys of data messages", session_keys, 0, 0, 0, 0},
    {"keys of the key exchange", exchange_keys, 0, 0, 0, 0},
    {"encryption and MAC", encryption, 0, 0, 0, 0},
    {"comparison of MACs and hashes", comparison, 0, 0, 0, 0},
    {"planted: num-bigint's power", planted_power, 1, 0, 0, 0},
    {"planted: a branch", planted_branch, 1, 0, 0, 0},
    {"planted: a table look-up", planted_lookup, 1, 0, 0, 0},
    {"planted: a loop that stops", planted_loop, 1, 0, 0, 0},
};
const size_t number_of_checks = sizeof checks / sizeof *checks;
