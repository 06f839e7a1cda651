//@ options: -lgcrypt
/* Diffie-Hellman one by one: key pairs, session keys, handshake keys and counters, with libgcrypt on what comes out and
 * with numbers of the program's own going in. Fixed keys make every number repeatable.
 */
#include <gcrypt.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/proto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PRIME[] =
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

static void show(const char *name, const unsigned char *bytes, size_t len)
{
    size_t i;

    printf("%s ", name);
    for (i = 0; i < len; i++) printf("%02x", bytes[i]);
    putchar('\n');
}

static gcry_mpi_t number(const char *hex)
{
    gcry_mpi_t made = NULL;

    if (gcry_mpi_scan(&made, GCRYMPI_FMT_HEX, hex, 0, NULL)) exit(3);
    return made;
}

/* 2 to a power, made by libgcrypt. */
static gcry_mpi_t power(gcry_mpi_t exponent)
{
    gcry_mpi_t prime = number(PRIME), two = gcry_mpi_set_ui(NULL, 2), result = gcry_mpi_new(0);

    gcry_mpi_powm(result, two, exponent, prime);
    gcry_mpi_release(prime);
    gcry_mpi_release(two);
    return result;
}

static void show_cipher(const char *name, gcry_cipher_hd_t cipher)
{
    unsigned char counter[16] = {1}, text[40];

    memset(text, 0, sizeof text);
    gcry_cipher_setctr(cipher, counter, sizeof counter);
    gcry_cipher_encrypt(cipher, text, sizeof text, NULL, 0);
    show(name, text, sizeof text);
}

static void show_mac(const char *name, gcry_md_hd_t mac, int algorithm, size_t len)
{
    gcry_md_write(mac, "abc", 3);
    show(name, gcry_md_read(mac, algorithm), len);
}

static void key_pairs(void)
{
    DH_keypair pair, copy;
    gcry_mpi_t public;
    gcry_error_t error;

    otrl_dh_init();
    memset(&pair, 0xa5, sizeof pair);
    memset(&copy, 0xa5, sizeof copy);
    otrl_dh_keypair_init(&pair);
    printf("empty %u %d %d\n", pair.groupid, pair.priv == NULL, pair.pub == NULL);
    printf("unknown group %08x\n", otrl_dh_gen_keypair(4, &pair));
    memset(&pair, 0xa5, sizeof pair);
    error = otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair);
    public = power(pair.priv);
    printf("generated %08x group %u, libgcrypt agrees %d\n", error, pair.groupid, gcry_mpi_cmp(public, pair.pub) == 0);
    otrl_dh_keypair_copy(&copy, &pair);
    printf("copy %u equal %d %d separate %d %d\n", copy.groupid, gcry_mpi_cmp(copy.priv, pair.priv) == 0,
        gcry_mpi_cmp(copy.pub, pair.pub) == 0, copy.priv != pair.priv, copy.pub != pair.pub);
    otrl_dh_keypair_free(&pair);
    printf("freed %u %d %d, copy still %d\n", pair.groupid, pair.priv == NULL, pair.pub == NULL,
        gcry_mpi_cmp(copy.pub, public) == 0);
    otrl_dh_keypair_free(&copy);
    gcry_mpi_release(public);
}

static void session(const DH_keypair *ours, gcry_mpi_t theirs)
{
    DH_sesskeys keys;
    unsigned char sum = 0;
    size_t i;

    memset(&keys, 0x77, sizeof keys);
    printf("session %08x\n", otrl_dh_session(&keys, ours, theirs));
    show("sending MAC key", keys.sendmackey, 20);
    show("receiving MAC key", keys.rcvmackey, 20);
    show("extra key", keys.extrakey, OTRL_EXTRAKEY_BYTES);
    show("counters", keys.sendctr, 16);
    show("counters", keys.rcvctr, 16);
    printf("used %d %d\n", keys.sendmacused, keys.rcvmacused);
    show_cipher("sending cipher", keys.sendenc);
    show_cipher("receiving cipher", keys.rcvenc);
    show_mac("sending MAC", keys.sendmac, GCRY_MD_SHA1, 20);
    show_mac("receiving MAC", keys.rcvmac, GCRY_MD_SHA1, 20);
    otrl_dh_session_free(&keys);
    for (i = 0; i < sizeof keys; i++) sum |= ((unsigned char *)&keys)[i];
    printf("blank after free %d\n", sum == 0);
    memset(&keys, 0x77, sizeof keys);
    otrl_dh_session_blank(&keys);
    for (i = 0; i < sizeof keys; i++) sum |= ((unsigned char *)&keys)[i];
    printf("blank %d\n", sum == 0);
}

static void handshake(const DH_keypair *ours, gcry_mpi_t theirs)
{
    unsigned char id[20];
    size_t len = 99;
    gcry_cipher_hd_t c, cp;
    gcry_md_hd_t m1, m1p, m2, m2p;
    gcry_mpi_t one = gcry_mpi_set_ui(NULL, 1), zero = gcry_mpi_new(0);
    OtrlSessionIdHalf half = OTRL_SESSIONID_SECOND_HALF_BOLD;

    printf("handshake %08x\n", otrl_dh_compute_v2_auth_keys(ours, theirs, id, &len, &c, &cp, &m1, &m1p, &m2, &m2p));
    show("session id", id, len);
    show_cipher("c", c);
    show_cipher("c'", cp);
    show_mac("m1", m1, GCRY_MD_SHA256, 32);
    show_mac("m1'", m1p, GCRY_MD_SHA256, 32);
    show_mac("m2", m2, GCRY_MD_SHA256, 32);
    show_mac("m2'", m2p, GCRY_MD_SHA256, 32);
    gcry_cipher_close(c);
    gcry_cipher_close(cp);
    gcry_md_close(m1);
    gcry_md_close(m1p);
    gcry_md_close(m2);
    gcry_md_close(m2p);
    printf("out of range %08x %08x\n",
        otrl_dh_compute_v2_auth_keys(ours, one, id, &len, &c, &cp, &m1, &m1p, &m2, &m2p),
        otrl_dh_compute_v2_auth_keys(ours, zero, id, &len, &c, &cp, &m1, &m1p, &m2, &m2p));
    printf("handles NULL %d %d %d %d %d %d\n", c == NULL, cp == NULL, m1 == NULL, m1p == NULL, m2 == NULL, m2p == NULL);
    gcry_mpi_release(one);
    gcry_mpi_release(zero);
    printf("version 1 %08x", otrl_dh_compute_v1_session_id(ours, theirs, id, &len, &half));
    printf(" half %d\n", half);
    show("session id", id, len);
}

static void counters(void)
{
    unsigned char small[16] = {0, 0, 0, 0, 0, 0, 0, 255}, large[16] = {0, 0, 0, 0, 0, 0, 1, 0};
    unsigned char last[16];

    memset(last, 0xff, sizeof last);
    printf("compare %d %d %d\n", otrl_dh_cmpctr(small, large) < 0, otrl_dh_cmpctr(large, small) > 0,
        otrl_dh_cmpctr(small, small));
    otrl_dh_incctr(small);
    printf("increment %d\n", otrl_dh_cmpctr(small, large));
    otrl_dh_incctr(last);
    show("wrap", last, sizeof last);
    printf("differ %d %d %d\n", otrl_mem_differ(small, last, 16), otrl_mem_differ(small, large, 8),
        otrl_mem_differ(NULL, NULL, 0));
}

int main(void)
{
    DH_keypair ours;
    gcry_mpi_t exponent, theirs;

    OTRL_INIT;
    key_pairs();
    ours.groupid = DH1536_GROUP_ID;
    ours.priv = number("1234567890abcdef1234567890abcdef12345678");
    ours.pub = power(ours.priv);
    exponent = number("75bcd15");
    theirs = power(exponent);
    session(&ours, theirs);
    handshake(&ours, theirs);
    ours.groupid = 3;
    {
        DH_sesskeys keys;
        printf("unknown group %08x\n", otrl_dh_session(&keys, &ours, theirs));
    }
    counters();
    otrl_dh_keypair_free(&ours);
    gcry_mpi_release(exponent);
    gcry_mpi_release(theirs);
    return 0;
}
