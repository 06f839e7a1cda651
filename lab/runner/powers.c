/* powers.c - modular powers that the reference library asks libgcrypt for.
 *
 * They are most of a script's time, and OpenSSL computes the same numbers in
 * a tenth of it.  The runner's definition comes before libgcrypt's (see
 * world.c); where libcrypto is not installed, and for numbers that the
 * protocol does not have, libgcrypt does the work.  OTR_LAB_POWERS=libgcrypt
 * leaves all of it to libgcrypt. */
#include "lab.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef struct gcry_mpi *mpi;

enum { UNSIGNED_BYTES = 5, LARGEST = 1024 };

static struct {
    void *(*new)(void);
    void (*free)(void *);
    void *(*read)(const unsigned char *, int, void *);
    int (*write)(const void *, unsigned char *);
    int (*odd)(const void *);
    void *(*context)(void);
    int (*power)(void *, const void *, const void *, const void *, void *, void *);
} openssl;

static struct {
    void (*powm)(mpi, mpi, mpi, mpi);
    unsigned int (*print)(int, unsigned char *, size_t, size_t *, mpi);
    unsigned int (*scan)(mpi *, int, const void *, size_t, size_t *);
    void (*snatch)(mpi, mpi);
    int (*negative)(mpi);
} gcrypt;

static void *named(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);
    if (!symbol) abort();
    return symbol;
}

static void *room;                  /* OpenSSL's, for intermediate numbers; NULL: OpenSSL is not used */

/* Before the first script, so that its process need not load OpenSSL. */
void powers_start(void)
{
    const char *wish = getenv("OTR_LAB_POWERS");
    void *library = dlopen("libgcrypt.so.20", RTLD_NOW | RTLD_NOLOAD);
    if (!library) return;           /* the library under test does without it */
    gcrypt.powm = (__typeof__(gcrypt.powm))named(library, "gcry_mpi_powm");
    gcrypt.print = (__typeof__(gcrypt.print))named(library, "gcry_mpi_print");
    gcrypt.scan = (__typeof__(gcrypt.scan))named(library, "gcry_mpi_scan");
    gcrypt.snatch = (__typeof__(gcrypt.snatch))named(library, "gcry_mpi_snatch");
    gcrypt.negative = (__typeof__(gcrypt.negative))named(library, "gcry_mpi_is_neg");
    if (wish && !strcmp(wish, "libgcrypt")) return;
    library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    openssl.new = (__typeof__(openssl.new))named(library, "BN_new");
    openssl.free = (__typeof__(openssl.free))named(library, "BN_free");
    openssl.read = (__typeof__(openssl.read))named(library, "BN_bin2bn");
    openssl.write = (__typeof__(openssl.write))named(library, "BN_bn2bin");
    openssl.odd = (__typeof__(openssl.odd))named(library, "BN_is_odd");
    openssl.context = (__typeof__(openssl.context))named(library, "BN_CTX_new");
    openssl.power = (__typeof__(openssl.power))named(library, "BN_mod_exp_mont_consttime");
    room = openssl.context();
}

/* The number for OpenSSL, or NULL if libgcrypt shall keep it. */
static void *taken_over(mpi number)
{
    unsigned char bytes[LARGEST];
    size_t length;
    if (gcrypt.negative(number) || gcrypt.print(UNSIGNED_BYTES, bytes, sizeof bytes, &length, number)) return NULL;
    return openssl.read(bytes, (int)length, NULL);
}

void gcry_mpi_powm(mpi result, mpi base, mpi exponent, mpi modulus);
void gcry_mpi_powm(mpi result, mpi base, mpi exponent, mpi modulus)
{
    if (!room) {
        gcrypt.powm(result, base, exponent, modulus);
        return;
    }
    void *b = taken_over(base), *e = taken_over(exponent), *m = taken_over(modulus), *r = openssl.new();
    unsigned char bytes[LARGEST];
    mpi power = NULL;
    if (b && e && m && r && openssl.odd(m) && openssl.power(r, b, e, m, room, NULL)) {
        size_t length = (size_t)openssl.write(r, bytes);
        if (gcrypt.scan(&power, UNSIGNED_BYTES, bytes, length, NULL)) abort();
        gcrypt.snatch(result, power);
    } else {
        gcrypt.powm(result, base, exponent, modulus);
    }
    openssl.free(r);
    openssl.free(m);
    openssl.free(e);
    openssl.free(b);
}
