/* contexts.c - commands on the lists of contexts and fingerprints. */
#include "lab.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct client *the_client(char **argv)
{
    struct client *c = client_find(argv[1]);
    if (!c) emit("no client %s", enc(argv[1]));
    return c;
}

static ConnContext *context_at(struct client *c, char *to, const char *tag)
{
    return lib.otrl_context_find(c->us, to, c->account, PROTOCOL, tag_of(tag), 0, NULL, NULL, NULL);
}

/* find NAME TO TAG [add] [user|account|protocol: pass NULL] */
static void do_find(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    char *to = dec(argv[2]);
    const char *account = c->account, *protocol = PROTOCOL;
    int add = 0, added = -1;
    for (int i = 4; i < argc; i++) {
        if (!strcmp(argv[i], "add")) add = 1;
        if (!strcmp(argv[i], "user")) to = NULL;
        if (!strcmp(argv[i], "account")) account = NULL;
        if (!strcmp(argv[i], "protocol")) protocol = NULL;
        if (!strncmp(argv[i], "account=", 8)) account = argv[i] + 8;
        if (!strncmp(argv[i], "protocol=", 9)) protocol = argv[i] + 9;
    }
    ConnContext *found = lib.otrl_context_find(c->us, to, account, protocol, tag_of(argv[3]), add, &added,
        c->app_data ? added_context : NULL, c);
    emit("found %s added=%d", context_name(found), added);
    snapshot(c);
}

/* recent NAME TO TAG META: the two functions that pick an instance */
static void do_recent(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *context = context_at(c, dec(argv[2]), argv[3]);
    emit("recent %s best %s", context_name(context ? lib.otrl_context_find_recent_instance(context, tag_of(argv[4])) : NULL),
         context_name(context ? lib.otrl_context_find_recent_secure_instance(context) : NULL));
}

/* touch NAME TO TAG sent|rcvd */
static void do_touch(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *context = context_at(c, dec(argv[2]), argv[3]);
    if (context) lib.otrl_context_update_recent_child(context, !strcmp(argv[4], "sent"));
    emit("touched %s", context_name(context));
    snapshot(c);
}

static Fingerprint *fingerprint_at(ConnContext *context, const char *word)
{
    if (!context) return NULL;
    if (!strcmp(word, "root")) return &context->fingerprint_root;
    if (!strcmp(word, "active")) return context->active_fingerprint;
    ConnContext *master = context->m_context ? context->m_context : context;
    Fingerprint *f = master->fingerprint_root.next;
    for (int i = atoi(word); f && i > 0; i--) f = f->next;
    return f;
}

/* fp_find NAME TO TAG HEX [add]; TO ~ for a NULL context */
static void do_fp_find(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    char *to = dec(argv[2]);
    ConnContext *context = to ? context_at(c, to, argv[3]) : NULL;
    size_t count;
    unsigned char *bytes = unhex(argv[4], &count);
    int added = -1;
    Fingerprint *f = lib.otrl_context_find_fingerprint(context, bytes, argc > 5, &added);
    emit("fingerprint %s added=%d copy=%d", f ? hex(f->fingerprint, 20) : "~", added, f ? f->fingerprint != bytes : -1);
    free(bytes);
    snapshot(c);
}

/* trust NAME TO TAG WHICH TEXT */
static void do_trust(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    Fingerprint *f = fingerprint_at(context_at(c, dec(argv[2]), argv[3]), argv[4]);
    lib.otrl_context_set_trust(f, dec(argv[5]));
    emit("trusted %d", lib.otrl_context_is_fingerprint_trusted(f));
    snapshot(c);
}

/* fp_forget NAME TO TAG WHICH 0|1 */
static void do_fp_forget(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    Fingerprint *f = fingerprint_at(context_at(c, dec(argv[2]), argv[3]), argv[4]);
    if (f) lib.otrl_context_forget_fingerprint(f, atoi(argv[5]));
    emit("forgot %d", f != NULL);
    snapshot(c);
}

/* force NAME TO TAG finished|plaintext */
static void do_force(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *context = context_at(c, dec(argv[2]), argv[3]);
    if (context && !strcmp(argv[4], "finished")) lib.otrl_context_force_finished(context);
    else if (context) lib.otrl_context_force_plaintext(context);
    emit("forced %s", context_name(context));
    snapshot(c);
}

/* forget NAME TO TAG, or forget NAME everything */
static void do_forget(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    if (argc == 3) {
        lib.otrl_context_forget_all(c->us);
        emit("forgot everything");
    } else {
        ConnContext *context = context_at(c, dec(argv[2]), argv[3]);
        emit("forgot %d", context ? lib.otrl_context_forget(context) : -1);
    }
    snapshot(c);
}

/* The key that the next data message announces, as a hostile peer would
 * choose it.  Works on a library whose keys are in these public fields. */
static void set_next_key(ConnContext *x, unsigned long value)
{
    gcry_mpi_t (*set)(gcry_mpi_t, unsigned long) =
        (gcry_mpi_t (*)(gcry_mpi_t, unsigned long))dlsym(RTLD_DEFAULT, "gcry_mpi_set_ui");
    if (set && x->context_priv->our_dh_key.pub) set(x->context_priv->our_dh_key.pub, value);
    else emit("no key to replace");
}

/* poke NAME TO TAG FIELD VALUE: fields that programs and tests write */
static void do_poke(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *x = context_at(c, dec(argv[2]), argv[3]);
    long value = strtol(argv[5], NULL, 0);
    if (!x) emit("no context");
    else if (!strcmp(argv[4], "msgstate")) x->msgstate = (OtrlMessageState)value;
    else if (!strcmp(argv[4], "lastrecv")) x->context_priv->lastrecv = value;
    else if (!strcmp(argv[4], "lastsent")) x->context_priv->lastsent = value;
    else if (!strcmp(argv[4], "otr_offer")) x->otr_offer = (__typeof__(x->otr_offer))value;
    else if (!strcmp(argv[4], "active")) x->active_fingerprint = fingerprint_at(x, argv[5]);
    else if (!strcmp(argv[4], "next_key")) set_next_key(x, (unsigned long)value);
    else emit("no field %s", argv[4]);
    snapshot(c);
}

const struct command context_commands[] = {
    {"find", 4, do_find}, {"recent", 5, do_recent}, {"touch", 5, do_touch}, {"fp_find", 5, do_fp_find},
    {"trust", 6, do_trust}, {"fp_forget", 6, do_fp_forget}, {"force", 5, do_force}, {"forget", 3, do_forget},
    {"poke", 6, do_poke}, {NULL, 0, NULL},
};
