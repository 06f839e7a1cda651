/* files.c - commands on keys, fingerprint files and instance tags.  Paths
 * are relative to the runner's own folder. */
#include "lab.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct client *the_client(char **argv)
{
    struct client *c = client_find(argv[1]);
    if (!c) emit("no client %s", enc(argv[1]));
    return c;
}

/* put PATH TEXT: writes a file */
static void do_put(int argc, char **argv)
{
    (void)argc;
    char *text = dec(argv[2]);
    FILE *file = fopen(argv[1], "wb");
    if (!file) { emit("cannot write"); return; }
    fwrite(text, 1, strlen(text), file);
    fclose(file);
}

/* show PATH: mode and content */
static void do_show(int argc, char **argv)
{
    (void)argc;
    struct stat info;
    static char content[65536];
    FILE *file = fopen(argv[1], "rb");
    if (!file || fstat(fileno(file), &info)) {
        emit("file %s cannot be read", enc(argv[1]));
        if (file) fclose(file);
        return;
    }
    size_t count = fread(content, 1, sizeof content, file);
    fclose(file);
    emit("file %s mode=%o %s", enc(argv[1]), info.st_mode & 07777, enc_bytes(content, count));
}

/* chmod PATH OCTAL; remove PATH; mkdir PATH; umask OCTAL */
static void do_chmod(int argc, char **argv) { (void)argc; emit("chmod %d", chmod(argv[1], (mode_t)strtoul(argv[2], NULL, 8))); }
static void do_remove(int argc, char **argv) { (void)argc; emit("remove %d", remove(argv[1])); }
static void do_mkdir(int argc, char **argv) { (void)argc; emit("mkdir %d", mkdir(argv[1], 0700)); }
static void do_umask(int argc, char **argv) { (void)argc; umask((mode_t)strtoul(argv[1], NULL, 8)); }

/* key NAME VERB [PATH] [ACCOUNT [PROTOCOL]]
 * read, read_null, generate, start, calculate, finish, finish_null, cancel,
 * find, forget (the first), forget_all, pending_forget_all, human, sign */
static void do_key(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    const char *verb = argv[2], *path = argc > 3 ? argv[3] : "none";
    const char *account = argc > 4 ? dec(argv[4]) : c->account, *protocol = argc > 5 ? dec(argv[5]) : PROTOCOL;
    errno = 0;
    if (!strcmp(verb, "read")) emit("keys read %x", lib.otrl_privkey_read(c->us, path));
    else if (!strcmp(verb, "read_null")) emit("keys read %x", lib.otrl_privkey_read_FILEp(c->us, NULL));
    else if (!strcmp(verb, "generate")) emit("keys generate %x", lib.otrl_privkey_generate(c->us, path, account, protocol));
    else if (!strcmp(verb, "start")) {
        void *handle = &handle;
        gcry_error_t error = lib.otrl_privkey_generate_start(c->us, account, protocol, &handle);
        emit("keys start %x handle=%d", error, handle == &handle ? -1 : handle != NULL);
        if (!error) c->pending = handle;
    } else if (!strcmp(verb, "calculate")) emit("keys calculate %x", lib.otrl_privkey_generate_calculate(c->pending));
    else if (!strcmp(verb, "finish")) emit("keys finish %x", lib.otrl_privkey_generate_finish(c->us, c->pending, path));
    else if (!strcmp(verb, "finish_null")) emit("keys finish %x", lib.otrl_privkey_generate_finish_FILEp(c->us, c->pending, NULL));
    else if (!strcmp(verb, "cancel")) lib.otrl_privkey_generate_cancelled(c->us, c->pending);
    else if (!strcmp(verb, "pending_forget_all")) lib.otrl_privkey_pending_forget_all(c->us);
    else if (!strcmp(verb, "forget") && c->us->privkey_root) lib.otrl_privkey_forget(c->us->privkey_root);
    else if (!strcmp(verb, "forget_all")) lib.otrl_privkey_forget_all(c->us);
    else if (!strcmp(verb, "find")) {
        OtrlPrivKey *k = lib.otrl_privkey_find(c->us, account, protocol);
        emit("keys found %s", k ? enc(k->accountname) : "~");
    } else if (!strcmp(verb, "human")) {
        char text[45] = "untouched";
        char *result = lib.otrl_privkey_fingerprint(c->us, text, account, protocol);
        emit("keys human %s same=%d", enc(text), result == text);
    } else if (!strcmp(verb, "sign")) {
        /* sign NAME DATA-HEX LENGTH-OF-SIGNATURE-TO-VERIFY */
        size_t count, length = 0;
        unsigned char *data = unhex(path, &count), *signature = NULL;
        OtrlPrivKey *k = lib.otrl_privkey_find(c->us, c->account, PROTOCOL);
        gcry_error_t error = k ? lib.otrl_privkey_sign(&signature, &length, k, data, count) : 0;
        emit("keys sign %x length=%zu", error, length);
        if (k && k->pubkey_type == OTRL_PUBKEY_TYPE_DSA && signature) {
            k->pubkey_type = 9;
            unsigned char *none = NULL;
            emit("keys sign type %x", lib.otrl_privkey_sign(&none, &length, k, data, count));
            k->pubkey_type = OTRL_PUBKEY_TYPE_DSA;
        }
        free(signature);
        free(data);
    } else emit("no verb %s", verb);
    snapshot(c);
}

/* fingerprints NAME read|write PATH */
static void do_fingerprints(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    errno = 0;
    if (!strcmp(argv[2], "read"))
        emit("fingerprints read %x", lib.otrl_privkey_read_fingerprints(c->us, argv[3],
             c->app_data ? added_context : NULL, c));
    else
        emit("fingerprints write %x", lib.otrl_privkey_write_fingerprints(c->us, argv[3]));
    snapshot(c);
}

/* tags NAME VERB [PATH] [ACCOUNT [PROTOCOL]]: read, write, generate, generate_null, find, new, forget, forget_null, forget_all */
static void do_tags(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    const char *verb = argv[2], *path = argc > 3 ? argv[3] : "none";
    const char *account = argc > 4 ? dec(argv[4]) : c->account, *protocol = argc > 5 ? dec(argv[5]) : PROTOCOL;
    errno = 0;
    if (!strcmp(verb, "read")) emit("tags read %x", lib.otrl_instag_read(c->us, path));
    else if (!strcmp(verb, "write")) emit("tags write %x", lib.otrl_instag_write(c->us, path));
    else if (!strcmp(verb, "generate")) emit("tags generate %x", lib.otrl_instag_generate(c->us, path, account, protocol));
    else if (!strcmp(verb, "generate_null")) emit("tags generate %x", lib.otrl_instag_generate_FILEp(c->us, stderr, NULL, protocol));
    else if (!strcmp(verb, "find")) {
        OtrlInsTag *t = lib.otrl_instag_find(c->us, account, protocol);
        emit("tags found %08x", t ? t->instag : 0);
    } else if (!strcmp(verb, "new")) emit("tags new %d", lib.otrl_instag_get_new() >= OTRL_MIN_VALID_INSTAG);
    else if (!strcmp(verb, "forget") && c->us->instag_root) lib.otrl_instag_forget(c->us->instag_root);
    else if (!strcmp(verb, "forget_null")) lib.otrl_instag_forget(NULL);
    else if (!strcmp(verb, "forget_all")) lib.otrl_instag_forget_all(c->us);
    else emit("no verb %s", verb);
    snapshot(c);
}

const struct command file_commands[] = {
    {"put", 3, do_put}, {"show", 2, do_show}, {"chmod", 3, do_chmod}, {"remove", 2, do_remove},
    {"mkdir", 2, do_mkdir}, {"umask", 2, do_umask}, {"key", 3, do_key}, {"fingerprints", 4, do_fingerprints},
    {"tags", 3, do_tags}, {NULL, 0, NULL},
};
