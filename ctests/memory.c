//@ options: -lgcrypt
/* otrl_mem_init before anything of libgcrypt is used: from then on libgcrypt's memory goes through handlers that take every
 * block as protected, and keep what is in it.
 */
#include <gcrypt.h>
#include <libotr/mem.h>
#include <libotr/proto.h>

#include <stdio.h>
#include <string.h>

static void *filled(size_t len)
{
    void *block = gcry_malloc(len);

    return block == NULL ? NULL : memset(block, 0xa5, len);
}

static int holds(const void *block, size_t len)
{
    const unsigned char *bytes = block;
    size_t i;

    for (i = 0; i < len && bytes[i] == 0xa5; i++) {}
    return i == len;
}

static void blocks(void)
{
    static const size_t sizes[] = {1, 15, 16, 24, 25, 1000, 4096, 200000};
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t kept = sizes[i] < 3000 ? sizes[i] : 3000;
        void *block = filled(sizes[i]);

        printf("%u bytes: protected %d", (unsigned)sizes[i], gcry_is_secure(block));
        block = gcry_realloc(block, 3000);
        printf(", as 3000 protected %d, kept %d", gcry_is_secure(block), holds(block, kept));
        block = gcry_realloc(block, sizes[i]);
        printf(", and back %d\n", holds(block, kept));
        gcry_free(block);
    }
}

int main(void)
{
    gcry_mpi_t number, square;

    otrl_mem_init();
    printf("libgcrypt %d\n", gcry_check_version("1.8.0") != NULL);
    blocks();
    OTRL_INIT;
    otrl_mem_init();
    printf("again\n");
    blocks();
    number = gcry_mpi_set_ui(NULL, 1234567);
    square = gcry_mpi_snew(4000);
    gcry_mpi_mul(square, number, number);
    gcry_mpi_div(square, NULL, square, number, 0);
    printf("numbers %d\n", gcry_mpi_cmp(square, number));
    gcry_mpi_release(number);
    gcry_mpi_release(square);
    return 0;
}
