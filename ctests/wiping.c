//@ options: -lgcrypt
//@ ours only: libotr 4.1.1 as Debian builds it leaves what was in the blocks
/* After otrl_mem_init, memory that libgcrypt gives back is wiped. The program has a free() of its own, which sees what is in
 * a block when it comes back.
 */
#include <gcrypt.h>
#include <libotr/mem.h>
#include <libotr/proto.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

void __libc_free(void *block);

enum { MARK = 0xa5 };
static int watching;
static size_t found;

void free(void *block)
{
    if (block != NULL && watching) {
        const unsigned char *bytes = block;
        size_t len = malloc_usable_size(block), i;

        for (i = 0; i < len; i++) found += bytes[i] == MARK;
    }
    __libc_free(block);
}

static void *filled(size_t len)
{
    void *block = gcry_malloc(len);

    return block == NULL ? NULL : memset(block, MARK, len);
}

/* What was found since the last time. */
static int left(const char *what)
{
    size_t count = found;

    printf("%s: left %u\n", what, (unsigned)count);
    found = 0;
    return count != 0;
}

int main(void)
{
    void *block = malloc(1000);
    gcry_mpi_t number = NULL;
    int wrong = 0;

    otrl_mem_init();
    if (block == NULL || gcry_check_version(NULL) == NULL) return 1;
    watching = 1;

    /* The program sees what is not wiped. */
    free(memset(block, MARK, 1000));
    wrong |= !left("from malloc");

    gcry_free(filled(1000));
    wrong |= left("given back");
    block = gcry_realloc(filled(100), 50000);
    wrong |= left("grown");
    block = gcry_realloc(memset(block, MARK, 50000), 30);
    memset(block, 0, 30);
    gcry_free(block);
    wrong |= left("shrunk, then given back");
    block = gcry_malloc_secure(64);
    gcry_free(memset(block, MARK, 64));
    wrong |= left("protected");
    gcry_mpi_scan(&number, GCRYMPI_FMT_HEX, "A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5", 0, NULL);
    gcry_mpi_release(number);
    wrong |= left("a number");
    return wrong;
}
