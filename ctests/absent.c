//@ options: -D_GNU_SOURCE
//@ ours only: libotr 4.1.1 cannot be loaded without libgcrypt
/* No libgcrypt on the machine, or one that lacks functions: a whole conversation, with files, works; functions that deal in
 * libgcrypt's objects return an error and leave nothing behind. Once libgcrypt is there, they work.
 */
#define main whole_conversation
#include "conversation.c"
#undef main

#include <libotr/auth.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/sm.h>

#include <dlfcn.h>

/* In no header, but exported. */
void otrl_sm_msg1_init(gcry_mpi_t **msg);
void otrl_sm_msg_free(gcry_mpi_t **msg, int size);

/* What the library gets when it asks for libgcrypt: nothing, another library, or libgcrypt. */
static enum { ABSENT, BROKEN, THERE } libgcrypt;
static int asked;

void *dlopen(const char *name, int mode)
{
    void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");

    if (name != NULL && strstr(name, "gcrypt") != NULL) {
        asked++;
        if (libgcrypt == ABSENT) return NULL;
        if (libgcrypt == BROKEN) return real("libc.so.6", mode);
    }
    return real(name, mode);
}

static int blank(const void *object, size_t len)
{
    const unsigned char *bytes = object;
    size_t i;

    for (i = 0; i < len && bytes[i] == 0; i++) {}
    return i == len;
}

/* Every function that needs libgcrypt, on objects that would be right with it. */
static void low_level(OtrlUserState users)
{
    OtrlPrivKey *key = otrl_privkey_find(users, "me", PROTOCOL);
    DH_keypair pair, copy;
    DH_sesskeys keys;
    OtrlSMState state;
    struct context mine;
    gcry_mpi_t *numbers = NULL;
    gcry_cipher_hd_t c = NULL, cp = NULL;
    gcry_md_hd_t m[4] = {NULL, NULL, NULL, NULL};
    unsigned char id[20], *bytes = NULL;
    size_t len = 0;
    OtrlSessionIdHalf half;
    int size = 0;

    otrl_mem_init();
    otrl_dh_init();
    otrl_sm_init();
    otrl_dh_keypair_init(&pair);
    CHECK(otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair) != 0);
    CHECK(pair.priv == NULL && pair.pub == NULL);
    otrl_dh_keypair_copy(&copy, &pair);
    memset(&keys, 0, sizeof keys);
    CHECK(otrl_dh_session(&keys, &pair, NULL) != 0);
    CHECK(keys.sendenc == NULL && keys.rcvenc == NULL && keys.sendmac == NULL && keys.rcvmac == NULL);
    otrl_dh_session_free(&keys);
    CHECK(blank(&keys, sizeof keys));
    CHECK(otrl_dh_compute_v2_auth_keys(&pair, NULL, id, &len, &c, &cp, &m[0], &m[1], &m[2], &m[3]) != 0);
    CHECK(c == NULL && cp == NULL && m[0] == NULL && m[1] == NULL && m[2] == NULL && m[3] == NULL);
    CHECK(otrl_dh_compute_v1_session_id(&pair, NULL, id, &len, &half) != 0);
    otrl_dh_keypair_free(&pair);
    otrl_dh_keypair_free(&copy);

    memset(&state, 0, sizeof state);
    otrl_sm_state_new(&state);
    otrl_sm_state_init(&state);
    CHECK(otrl_sm_step1(&state, (const unsigned char *)"secret", 6, &bytes, &size) != 0 || bytes != NULL);
    free(bytes);
    otrl_sm_state_free(&state);
    otrl_sm_msg1_init(&numbers);
    otrl_sm_msg_free(&numbers, 6);

    memset(&mine, 0, sizeof mine);
    otrl_auth_new(&mine);
    if (otrl_auth_start_v23(&mine.auth, 3) == 0) CHECK(mine.auth.lastauthmsg != NULL);
    CHECK(mine.auth.our_dh.priv == NULL && mine.auth.our_dh.pub == NULL);
    CHECK(otrl_auth_start_v1(&mine.auth, NULL, 0, key) != 0);
    otrl_auth_clear(&mine.auth);

    bytes = NULL;
    CHECK(key != NULL && key->privkey == NULL);
    if (otrl_privkey_sign(&bytes, &len, key, id, sizeof id) == 0) CHECK(bytes != NULL && len == 40);
    CHECK(otrl_privkey_verify(id, 20, OTRL_PUBKEY_TYPE_DSA, NULL, id, 20) != 0);
    free(bytes);
}

int main(void)
{
    OtrlUserState users;
    DH_keypair pair;
    FILE *file;

    libgcrypt = THERE;
    if (dlopen("libgcrypt.so.20", RTLD_LAZY | RTLD_NOLOAD) != NULL) {
        printf("libgcrypt is linked in: it cannot be absent\n");
        return 0;
    }
    libgcrypt = ABSENT;
    if (whole_conversation() != 0) return 1;

    users = otrl_userstate_create();
    file = tmpfile();
    CHECK(file != NULL && !otrl_privkey_generate_FILEp(users, file, "me", PROTOCOL));
    if (file != NULL) fclose(file);
    asked = 0;
    low_level(users);
    libgcrypt = BROKEN;
    low_level(users);
    CHECK(asked > 0);

    libgcrypt = THERE;
    CHECK(!otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair));
    CHECK(pair.priv != NULL && pair.pub != NULL);
    otrl_dh_keypair_free(&pair);
    otrl_userstate_free(users);
    printf("%d failures\n", failures);
    return failures != 0;
}
