/* Computations on secrets, one row each: what is secret, what is called, and
 * whether the call is a planted leak that must be found. */
#ifndef CHECKS_H
#define CHECKS_H

#include <stddef.h>

typedef void fill_function(unsigned char *out, size_t n);

/* The library's test interface (cargo feature test-hooks). */
void otr_test_on_disclosure(void (*function)(void *, size_t));
const char *otr_test_kernel(void);
void otr_test_pow(const unsigned char *base, const unsigned char *exponent, size_t n, unsigned char *out);
void otr_test_pow_table(const unsigned char *base, const unsigned char *exponent, size_t n, unsigned char *out);
void otr_test_pow_g(const unsigned char *exponent, size_t n, unsigned char *out);
void otr_test_respond(const unsigned char *r, const unsigned char *secret, size_t n,
                      const unsigned char *challenge, unsigned char *out);
void otr_test_session_keys(const unsigned char *base, const unsigned char *exponent, size_t n, unsigned char *out);
void otr_test_exchange_keys(const unsigned char *base, const unsigned char *exponent, size_t n, unsigned char *out);
void otr_test_encrypt(const unsigned char *key, const unsigned char *mac_key, unsigned char *data, size_t n,
                      unsigned char *mac);
int otr_test_equal(const unsigned char *a, const unsigned char *b, size_t n);
void otr_test_dsa_numbers(unsigned char *out);
void otr_test_dsa_sign(const unsigned char *numbers, const unsigned char *value, fill_function *fill,
                       unsigned char *out);
int otr_test_smp(const unsigned char *a, const unsigned char *b, fill_function *fill);
void otr_test_planted_power(const unsigned char *base, const unsigned char *exponent, size_t n, unsigned char *out);
int otr_test_planted_branch(const unsigned char *secret);
int otr_test_planted_lookup(const unsigned char *secret);

enum { SECRET = 256, RESULT = 256 };

struct check {
    const char *name;
    /* Calls the library; the secret has SECRET bytes, the result RESULT. */
    void (*run)(const unsigned char *secret, unsigned char *result);
    int leaks;        /* planted: something must be found */
    int whole_flow;   /* contains public values that differ with the secret */
    int slow;         /* too many instructions to go through one by one */
    size_t discloses; /* bytes of the result, if the library itself makes it public at the end */
};

extern const struct check checks[];
extern const size_t number_of_checks;

/* Public values, made once: a group element and a private key. */
void make_public_values(void);

/* Random numbers of the library under test; set by the main programs. */
extern fill_function *fill;

/* Random numbers that are no secret. */
void public_numbers(unsigned char *out, size_t n);

/* Bytes of a Diffie-Hellman exponent: 40, or fewer where every step is slow. */
extern size_t dh_exponent;

#endif
