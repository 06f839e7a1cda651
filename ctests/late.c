//@ options: -lgcrypt
//@ ours only: libotr 4.1.1 takes over the memory of a libgcrypt that is in use
/* A program that uses libgcrypt itself, with protected memory, before it calls otrl_init: its blocks stay what they are, and
 * numbers from either side work on the other.
 */
#include <gcrypt.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/proto.h>

#include <stdio.h>
#include <string.h>

static int wrong;

static void expect(const char *what, int result, int wanted)
{
    printf("%s: %d\n", what, result);
    wrong |= result != wanted;
}

int main(void)
{
    void *protected, *plain, *later;
    gcry_mpi_t two, half, twice;
    DH_keypair pair;

    if (gcry_check_version("1.8.0") == NULL) return 1;
    gcry_control(GCRYCTL_INIT_SECMEM, 65536, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    protected = gcry_malloc_secure(100);
    plain = gcry_malloc(100);

    OTRL_INIT;
    otrl_mem_init();
    expect("protected before and after", gcry_is_secure(protected), 1);
    expect("not protected before and after", gcry_is_secure(plain), 0);
    later = gcry_malloc_secure(100);
    expect("protected since", gcry_is_secure(later), 1);
    protected = gcry_realloc(protected, 1000);
    expect("protected and grown", gcry_is_secure(protected), 1);
    gcry_free(protected);
    gcry_free(plain);
    gcry_free(later);

    otrl_dh_init();
    expect("a key pair", (int)otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair), 0);
    two = gcry_mpi_set_ui(NULL, 2);
    half = gcry_mpi_new(0);
    twice = gcry_mpi_new(0);
    expect("in range", gcry_mpi_cmp_ui(pair.pub, 1) > 0 && gcry_mpi_get_nbits(pair.pub) <= 1536, 1);
    gcry_mpi_mul(twice, two, pair.priv);
    gcry_mpi_rshift(half, twice, 1);
    expect("the private number in arithmetic", gcry_mpi_cmp(half, pair.priv), 0);
    gcry_mpi_release(two);
    gcry_mpi_release(half);
    gcry_mpi_release(twice);
    otrl_dh_keypair_free(&pair);
    return wrong;
}
