//@ options: -lgcrypt -pthread
/* Keys, fingerprints and instance tags and their files, by path and by stream; keys made at once and in a thread;
 * signatures, with the key as libgcrypt's S-expression.
 */
#include <gcrypt.h>
#include <libotr/proto.h>
#include <libotr/privkey.h>
#include <libotr/instag.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/libotr-files.XXXXXX";

static const char *path(const char *name)
{
    static char buffer[4][128];
    static int at;

    at = (at + 1) % 4;
    snprintf(buffer[at], sizeof buffer[at], "%s/%s", folder, name);
    return buffer[at];
}

static void keys(const char *when, OtrlUserState users)
{
    OtrlPrivKey *key;

    printf("%s:", when);
    for (key = users->privkey_root; key; key = key->next)
        printf(" %s/%s%s", key->accountname, key->protocol, *key->tous == key ? "" : " with a wrong link");
    for (key = (OtrlPrivKey *)users->pending_root; key; key = (OtrlPrivKey *)((OtrlPendingPrivKey *)key)->next)
        printf(" (%s)", ((OtrlPendingPrivKey *)key)->accountname);
    putchar('\n');
}

static void *calculate(void *handle)
{
    printf("in a thread %08x\n", otrl_privkey_generate_calculate(handle));
    return NULL;
}

static void making_keys(void)
{
    OtrlUserState users = otrl_userstate_create(), again = otrl_userstate_create();
    char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN], same[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];
    unsigned char hash[20];
    void *handle = NULL, *second = &handle;
    pthread_t thread;
    FILE *stream;

    printf("missing %08x\n", otrl_privkey_read(users, path("keys")));
    printf("made %08x", otrl_privkey_generate(users, path("keys"), "one", "p"));
    printf(" %08x", otrl_privkey_generate(users, path("keys"), "two", "p"));
    printf(" %08x\n", otrl_privkey_generate(users, path("keys"), "with \"quotes\" and (such)", "p"));
    keys("made", users);
    printf("nowhere %08x\n", otrl_privkey_generate(users, "/nonexistent/keys", "three", "p"));
    printf("start %08x\n", otrl_privkey_generate_start(users, "three", "p", &handle));
    printf("start again %08x", otrl_privkey_generate_start(users, "three", "p", &second));
    printf(" %d\n", second == NULL);
    keys("pending", users);
    pthread_create(&thread, NULL, calculate, handle);
    pthread_join(thread, NULL);
    printf("finish nowhere %08x\n", otrl_privkey_generate_finish(users, handle, "/nonexistent/keys"));
    keys("still pending", users);
    printf("finish %08x\n", otrl_privkey_generate_finish(users, handle, path("keys")));
    keys("finished", users);
    printf("start %08x\n", otrl_privkey_generate_start(users, "four", "p", &handle));
    otrl_privkey_generate_cancelled(users, handle);
    keys("cancelled", users);
    printf("start %08x\n", otrl_privkey_generate_start(users, "five", "p", &handle));
    otrl_privkey_pending_forget_all(users);
    keys("pending forgotten", users);
    otrl_privkey_generate_cancelled(NULL, handle);

    printf("read %08x\n", otrl_privkey_read(again, path("keys")));
    keys("read", again);
    otrl_privkey_fingerprint(users, human, "two", "p");
    otrl_privkey_fingerprint(again, same, "two", "p");
    printf("the same key %d, %u characters\n", strcmp(human, same) == 0, (unsigned)strlen(human));
    printf("raw %d", otrl_privkey_fingerprint_raw(again, hash, "two", "p") == hash);
    otrl_privkey_hash_to_human(same, hash);
    printf(" %d\n", strcmp(human, same) == 0);
    printf("no key %d %d %d\n", otrl_privkey_find(again, "two", "q") == NULL,
        otrl_privkey_fingerprint(again, human, "six", "p") == NULL, otrl_privkey_fingerprint_raw(again, hash, "six", "p") == NULL);
    otrl_privkey_forget(otrl_privkey_find(again, "one", "p"));
    keys("one forgotten", again);
    otrl_privkey_forget_all(again);
    keys("all forgotten", again);

    stream = fopen(path("stream"), "w+b");
    printf("to a stream %08x\n", otrl_privkey_generate_FILEp(users, stream, "six", "p"));
    fclose(stream);
    keys("made", users);
    stream = fopen(path("stream"), "rb");
    printf("from a stream %08x\n", otrl_privkey_read_FILEp(again, stream));
    fclose(stream);
    keys("read", again);
    printf("no stream %08x\n", otrl_privkey_read_FILEp(again, NULL));
    stream = fopen(path("stream"), "w+b");
    printf("start %08x\n", otrl_privkey_generate_start(again, "seven", "p", &handle));
    printf("calculate %08x\n", otrl_privkey_generate_calculate(handle));
    printf("finish to a stream %08x\n", otrl_privkey_generate_finish_FILEp(again, handle, stream));
    fclose(stream);
    keys("finished", again);
    otrl_userstate_free(users);
    otrl_userstate_free(again);
}

static void reading_keys(void)
{
    static const char *const texts[] = {"(privkeys)", "(something)", "(privkeys", "(privkeys (account (name a)))",
        "(privkeys (account (name a) (protocol p) (private-key (rsa (n #01#)))))"};
    OtrlUserState users = otrl_userstate_create();
    size_t i;

    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *file = fopen(path("bad"), "w");

        fputs(texts[i], file);
        fclose(file);
        printf("'%s' %08x\n", texts[i], otrl_privkey_read(users, path("bad")));
    }
    printf("a folder %08x\n", otrl_privkey_read(users, folder));
    otrl_userstate_free(users);
}

static void signing(void)
{
    OtrlUserState users = otrl_userstate_create();
    OtrlPrivKey *key;
    unsigned char *signature = NULL, value[32];
    size_t len = 0;
    gcry_sexp_t part;
    char text[16];

    memset(value, 0x99, sizeof value);
    otrl_privkey_generate(users, path("keys"), "one", "p");
    key = otrl_privkey_find(users, "one", "p");
    printf("sign %08x", otrl_privkey_sign(&signature, &len, key, value, sizeof value));
    printf(" %u bytes\n", (unsigned)len);
    printf("verify %08x\n", otrl_privkey_verify(signature, len, key->pubkey_type, key->privkey, value, sizeof value));
    printf("verify another %08x\n", otrl_privkey_verify(signature, len, key->pubkey_type, key->privkey, value, 31));
    printf("another type %08x\n", otrl_privkey_verify(signature, len, 1, key->privkey, value, sizeof value));
    printf("too short %08x\n", otrl_privkey_verify(signature, 39, key->pubkey_type, key->privkey, value, sizeof value));
    free(signature);
    printf("nothing %08x", otrl_privkey_sign(&signature, &len, key, NULL, 0));
    printf(" %08x\n", otrl_privkey_verify(signature, len, key->pubkey_type, key->privkey, NULL, 0));
    free(signature);
    part = gcry_sexp_find_token(key->privkey, "dsa", 0);
    gcry_sexp_sprint(part, GCRYSEXP_FMT_CANON, text, sizeof text);
    printf("libgcrypt reads the key %d\n", part != NULL && gcry_sexp_length(part) == 6);
    gcry_sexp_release(part);
    printf("public part of more than 256 bytes %d\n", key->pubkey_datalen > 256 && key->pubkey_data[3] == 128);
    key->pubkey_type = 1;
    printf("sign with another type %08x\n", otrl_privkey_sign(&signature, &len, key, value, sizeof value));
    otrl_userstate_free(users);
}

static void add_print(OtrlUserState users, const char *name, unsigned char byte, const char *trust)
{
    ConnContext *context = otrl_context_find(users, name, "me", "p", 0, 1, NULL, NULL, NULL);
    unsigned char print[20];

    memset(print, byte, sizeof print);
    otrl_context_set_trust(otrl_context_find_fingerprint(context, print, 1, NULL), trust);
}

static void copy_out(const char *name)
{
    FILE *file = fopen(path(name), "r");
    int c;

    while ((c = getc(file)) != EOF) putchar(c == '\t' ? '|' : c);
    fclose(file);
}

static void count(void *data, ConnContext *context)
{
    *(int *)data += context->their_instance == 0;
}

static void prints(void)
{
    OtrlUserState users = otrl_userstate_create(), again = otrl_userstate_create();
    ConnContext *context;
    FILE *stream;
    int made = 0;

    add_print(users, "bob", 0x11, "verified");
    add_print(users, "alice", 0xab, NULL);
    add_print(users, "bob", 0x22, "");
    otrl_context_find(users, "bob", "me", "p", 0x100, 1, NULL, NULL, NULL);
    printf("write %08x\n", otrl_privkey_write_fingerprints(users, path("prints")));
    copy_out("prints");
    printf("read %08x", otrl_privkey_read_fingerprints(again, path("prints"), count, &made));
    printf(" new contexts %d\n", made);
    for (context = again->context_root; context; context = context->next) {
        Fingerprint *print;

        for (print = context->fingerprint_root.next; print; print = print->next)
            printf(" %s %02x '%s'", context->username, print->fingerprint[0], print->trust ? print->trust : "NULL");
    }
    putchar('\n');
    stream = fopen(path("stream"), "w+b");
    printf("to a stream %08x", otrl_privkey_write_fingerprints_FILEp(again, stream));
    rewind(stream);
    printf(" and back %08x", otrl_privkey_read_fingerprints_FILEp(users, stream, count, &made));
    printf(" new contexts %d\n", made);
    fclose(stream);
    printf("missing %08x\n", otrl_privkey_read_fingerprints(users, path("missing"), NULL, NULL));
    printf("nowhere %08x\n", otrl_privkey_write_fingerprints(users, "/nonexistent/prints"));
    otrl_userstate_free(users);
    otrl_userstate_free(again);
}

static void tags(void)
{
    OtrlUserState users = otrl_userstate_create(), again = otrl_userstate_create();
    OtrlInsTag *own = malloc(sizeof *own);
    FILE *stream;
    otrl_instag_t tag;

    printf("missing %08x\n", otrl_instag_read(users, path("tags")));
    printf("made %08x %08x\n", otrl_instag_generate(users, path("tags"), "me", "p"),
        otrl_instag_generate(users, path("tags"), "you", "q"));
    tag = otrl_instag_find(users, "me", "p")->instag;
    printf("valid %d %d\n", tag >= OTRL_MIN_VALID_INSTAG, otrl_instag_get_new() >= OTRL_MIN_VALID_INSTAG);
    printf("read %08x", otrl_instag_read(again, path("tags")));
    printf(" the same %d, none %d\n", otrl_instag_find(again, "me", "p")->instag == tag, otrl_instag_find(again, "me", "q") == NULL);

    /* An entry of the program's own, which the library releases. */
    own->accountname = strcpy(malloc(4), "own");
    own->protocol = strcpy(malloc(2), "p");
    own->instag = 0xabcdef01;
    own->next = again->instag_root;
    own->tous = &again->instag_root;
    if (own->next) own->next->tous = &own->next;
    again->instag_root = own;
    otrl_instag_forget(otrl_instag_find(again, "me", "p"));
    otrl_instag_forget(otrl_instag_find(again, "you", "q"));
    otrl_instag_forget(NULL);
    printf("write %08x\n", otrl_instag_write(again, path("tags")));
    copy_out("tags");
    stream = fopen(path("stream"), "w+b");
    printf("to a stream %08x %08x", otrl_instag_write_FILEp(again, stream),
        otrl_instag_generate_FILEp(users, stream, NULL, "p"));
    rewind(stream);
    printf(" and back %08x", otrl_instag_read_FILEp(users, stream));
    printf(" %x\n", otrl_instag_find(users, "own", "p")->instag);
    fclose(stream);
    stream = fopen(path("stream"), "w+b");
    printf("made to a stream %08x %d\n", otrl_instag_generate_FILEp(users, stream, "third", "p"), ftell(stream) > 0);
    fclose(stream);
    otrl_instag_forget_all(users);
    printf("all forgotten %d\n", users->instag_root == NULL);
    otrl_userstate_free(users);
    otrl_userstate_free(again);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    OTRL_INIT;
    if (mkdtemp(folder) == NULL) return 3;
    making_keys();
    reading_keys();
    signing();
    prints();
    tags();
    unlink(path("keys"));
    unlink(path("bad"));
    unlink(path("stream"));
    unlink(path("prints"));
    unlink(path("tags"));
    return rmdir(folder);
}
