/* session.c - commands on a client: making one, its settings, and everything
 * that message.h offers. */
#include "lab.h"
#include <stdlib.h>
#include <string.h>

struct client *clients;

struct client *client_find(const char *name)
{
    for (struct client *c = clients; c; c = c->next)
        if (!strcmp(c->name, name)) return c;
    return NULL;
}

/* The client that a command names, or a log line and NULL. */
static struct client *the_client(char **argv)
{
    struct client *c = client_find(argv[1]);
    if (!c) emit("no client %s", enc(argv[1]));
    return c;
}

otrl_instag_t tag_of(const char *word)
{
    static const char *names[] = {"master", "best", "recent", "received", "sent"};
    for (unsigned i = 0; i < 5; i++)
        if (!strcmp(word, names[i])) return i;
    return (otrl_instag_t)strtoul(word, NULL, 16);
}

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

/* client NAME ACCOUNT KEYFILE TAGFILE */
static void do_client(int argc, char **argv)
{
    (void)argc;
    struct client *c = calloc(1, sizeof *c);
    c->name = strdup(argv[1]);
    c->account = strdup(argv[2]);
    c->keyfile = copy(dec(argv[3]));
    c->tagfile = copy(dec(argv[4]));
    c->policy = OTRL_POLICY_DEFAULT;
    c->logged_in = 1;
    c->error_text = 1;
    c->make_key = 1;
    c->make_tag = 1;
    callbacks_all(c);
    c->us = lib.otrl_userstate_create();
    c->next = clients;
    clients = c;
    if (c->keyfile) emit("keys %x", lib.otrl_privkey_read(c->us, c->keyfile));
    if (c->tagfile) emit("tags %x", lib.otrl_instag_read(c->us, c->tagfile));
    snapshot(c);
}

/* set NAME SETTING VALUE */
static void do_set(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    int value = (int)strtol(argv[3], NULL, 0);
    const struct { const char *name; int *field; } settings[] = {
        {"max_size", &c->max_size}, {"logged_in", &c->logged_in}, {"error_text", &c->error_text},
        {"make_key", &c->make_key}, {"make_tag", &c->make_tag}, {"convert", &c->convert},
        {"app_data", &c->app_data}, {"no_tlvs", &c->no_tlvs}, {"no_contextp", &c->no_contextp},
    };
    if (!strcmp(argv[2], "policy")) {
        c->policy = (OtrlPolicy)value;
        return;
    }
    if (!strcmp(argv[2], "null")) {
        if (!callback_clear(c, argv[3])) emit("no callback %s", argv[3]);
        return;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!strcmp(argv[2], settings[i].name)) {
            *settings[i].field = value;
            return;
        }
    }
    emit("no setting %s", argv[2]);
}

/* hook NAME CALLBACK N|every COMMAND... */
static void do_hook(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    struct hook *h = calloc(1, sizeof *h), **end = &c->hooks;
    size_t size = 1;
    h->callback = strdup(argv[2]);
    h->every = !strcmp(argv[3], "every");
    h->countdown = h->every ? 0 : atoi(argv[3]);
    for (int i = 4; i < argc; i++) size += strlen(argv[i]) + 1;
    h->command = calloc(1, size);
    for (int i = 4; i < argc; i++) {
        if (i > 4) strcat(h->command, " ");
        strcat(h->command, argv[i]);
    }
    while (*end) end = &(*end)->next;
    *end = h;
}

static void (*adder(struct client *c))(void *, ConnContext *) { return c->app_data ? added_context : NULL; }

/* Words "TYPE:HEX" from argv[at] on. */
static OtrlTLV *tlv_words(int argc, char **argv, int at)
{
    OtrlTLV *first = NULL, **end = &first;
    for (int i = at; i < argc; i++) {
        size_t count;
        char *colon = strchr(argv[i], ':');
        unsigned char *value = unhex(colon ? colon + 1 : NULL, &count);
        *end = lib.otrl_tlv_new((unsigned short)atoi(argv[i]), (unsigned short)count, value);
        free(value);
        end = &(*end)->next;
    }
    return first;
}

/* send NAME TO TAG skip|all|allbutfirst|allbutlast TEXT [TLV...] */
static void do_send(int argc, char **argv)
{
    static const char *fragmenting[] = {"skip", "all", "allbutfirst", "allbutlast"};
    struct client *c = the_client(argv);
    if (!c) return;
    OtrlFragmentPolicy how = OTRL_FRAGMENT_SEND_ALL;
    for (int i = 0; i < 4; i++)
        if (!strcmp(argv[4], fragmenting[i])) how = (OtrlFragmentPolicy)i;
    OtrlTLV *tlvs = tlv_words(argc, argv, 6);
    char *to = dec(argv[2]), *text = dec(argv[5]);
    static char untouched[] = "untouched";
    char *out = untouched;
    ConnContext *context = NULL;
    gcry_error_t error = lib.otrl_message_sending(c->us, &c->ops, c, c->account, PROTOCOL, to, tag_of(argv[3]),
        text, tlvs, &out, how, c->no_contextp ? NULL : &context, adder(c), c);
    emit("sent to=%s how=%s text=%s error=%x msg=%s %s", enc(to), argv[4], enc(text), error, enc(out),
         context_brief(context));
    if (out != untouched) lib.otrl_message_free(out);
    lib.otrl_tlv_free(tlvs);
    snapshot(c);
}

/* recv NAME FROM TEXT */
static void do_recv(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    char *from = dec(argv[2]), *text = dec(argv[3]);
    char *shown = NULL;
    OtrlTLV *tlvs = NULL;
    ConnContext *context = NULL;
    int internal = lib.otrl_message_receiving(c->us, &c->ops, c, c->account, PROTOCOL, from, text, &shown,
        c->no_tlvs ? NULL : &tlvs, c->no_contextp ? NULL : &context, adder(c), c);
    emit("received internal=%d new=%s %s", internal, enc(shown), context_brief(context));
    for (OtrlTLV *t = tlvs; t; t = t->next)
        emit("tlv type=%u length=%u value=%s", t->type, t->len, hex(t->data, t->len));
    lib.otrl_message_free(shown);
    lib.otrl_tlv_free(tlvs);
    snapshot(c);
}

static ConnContext *peer(struct client *c, char *to, const char *tag)
{
    return lib.otrl_context_find(c->us, to, c->account, PROTOCOL, tag_of(tag), 0, NULL, NULL, NULL);
}

/* smp NAME TO TAG initiate|respond|answer|abort|free SECRET [QUESTION]:
 * `answer` responds only after an event that asked for it */
static void do_smp(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *context = peer(c, dec(argv[2]), argv[3]);
    char *secret = dec(argv[5]), *question = argc > 6 ? dec(argv[6]) : NULL;
    const unsigned char *bytes = (const unsigned char *)secret;
    size_t length = secret ? strlen(secret) : 0;
    if (!strcmp(argv[4], "initiate") && argc > 6)
        lib.otrl_message_initiate_smp_q(c->us, &c->ops, c, context, question, bytes, length);
    else if (!strcmp(argv[4], "initiate"))
        lib.otrl_message_initiate_smp(c->us, &c->ops, c, context, bytes, length);
    else if (!strcmp(argv[4], "respond") || (!strcmp(argv[4], "answer") && c->asked))
        lib.otrl_message_respond_smp(c->us, &c->ops, c, context, bytes, length);
    else if (!strcmp(argv[4], "abort"))
        lib.otrl_message_abort_smp(c->us, &c->ops, c, context);
    else if (!strcmp(argv[4], "free") && context)
        lib.otrl_sm_state_free(context->smstate);
    c->asked = 0;
    emit("smp done");
    snapshot(c);
}

/* disconnect NAME TO TAG|all */
static void do_disconnect(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    char *to = dec(argv[2]);
    if (!strcmp(argv[3], "all"))
        lib.otrl_message_disconnect_all_instances(c->us, &c->ops, c, c->account, PROTOCOL, to);
    else
        lib.otrl_message_disconnect(c->us, &c->ops, c, c->account, PROTOCOL, to, tag_of(argv[3]));
    emit("disconnected");
    snapshot(c);
}

/* symkey NAME TO TAG USE LENGTH|~ FILLER: LENGTH bytes of FILLER, ~ for a null pointer with length 4 */
static void do_symkey(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    ConnContext *context = peer(c, dec(argv[2]), argv[3]);
    int null = !strcmp(argv[5], "~");
    size_t length = null ? 4 : strtoul(argv[5], NULL, 0);
    unsigned char *data = null ? NULL : malloc(length + 1), key[32] = {0};
    if (data) memset(data, argv[6][0], length);
    gcry_error_t error = lib.otrl_message_symkey(c->us, &c->ops, c, context, (unsigned)strtoul(argv[4], NULL, 0),
        data, length, key);
    emit("symkey error=%x key=%s", error, error ? "~" : hex(key, 32));
    free(data);
    snapshot(c);
}

/* poll NAME [noops|nous] */
static void do_poll(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    int no_ops = argc > 2 && !strcmp(argv[2], "noops"), no_us = argc > 2 && !strcmp(argv[2], "nous");
    lib.otrl_message_poll(no_us ? NULL : c->us, no_ops ? NULL : &c->ops, c);
    emit("polled interval=%u", lib.otrl_message_poll_get_default_interval(c->us));
    snapshot(c);
}

/* restart NAME: what stopping and starting a program does */
static void do_restart(int argc, char **argv)
{
    (void)argc;
    struct client *c = the_client(argv);
    if (!c) return;
    char file[300];
    snprintf(file, sizeof file, "%s.fingerprints", c->name);
    emit("written %x", lib.otrl_privkey_write_fingerprints(c->us, file));
    lib.otrl_userstate_free(c->us);
    c->us = lib.otrl_userstate_create();
    if (c->keyfile) emit("keys %x", lib.otrl_privkey_read(c->us, c->keyfile));
    if (c->tagfile) emit("tags %x", lib.otrl_instag_read(c->us, c->tagfile));
    emit("fingerprints %x", lib.otrl_privkey_read_fingerprints(c->us, file, adder(c), c));
    snapshot(c);
}

/* null NAME send|recv WHICH...: required pointers given as NULL */
static void do_null(int argc, char **argv)
{
    struct client *c = the_client(argv);
    if (!c) return;
    const char *account = c->account, *protocol = PROTOCOL, *peer_name = "peer", *text = "text";
    static char untouched[] = "untouched";
    char *out = untouched, **outp = &out;
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "account")) account = NULL;
        if (!strcmp(argv[i], "protocol")) protocol = NULL;
        if (!strcmp(argv[i], "peer")) peer_name = NULL;
        if (!strcmp(argv[i], "text")) text = NULL;
        if (!strcmp(argv[i], "messagep")) outp = NULL;
    }
    if (!strcmp(argv[2], "send"))
        emit("without error=%x out=%s", lib.otrl_message_sending(c->us, &c->ops, c, account, protocol, peer_name, 0,
            text, NULL, outp, OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL), enc(out));
    else
        emit("without internal=%d out=%s", lib.otrl_message_receiving(c->us, &c->ops, c, account, protocol,
            peer_name, text, outp, NULL, NULL, NULL, NULL), enc(out));
    snapshot(c);
}

const struct command session_commands[] = {
    {"client", 5, do_client}, {"set", 4, do_set}, {"hook", 5, do_hook}, {"send", 6, do_send},
    {"recv", 4, do_recv}, {"smp", 6, do_smp}, {"disconnect", 4, do_disconnect}, {"symkey", 7, do_symkey},
    {"poll", 2, do_poll}, {"restart", 2, do_restart}, {"null", 4, do_null}, {NULL, 0, NULL},
};
