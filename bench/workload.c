/*
 * Measures one libotr.so.5, loaded by path, and prints a line "NAME NANOSECONDS" for each workload: CPU time of the
 * process per operation, both sides of a conversation together. The two sides live in this process and talk through a
 * queue, so nothing but the library is measured.
 *
 *     workload LIBRARY KEYFOLDER
 *
 * KEYFOLDER gets the two private keys at the first run; later runs, of whichever library, read them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libotr/proto.h>
#include <libotr/context.h>
#include <libotr/privkey.h>
#include <libotr/message.h>

#define FUNCTIONS(X) \
    X(otrl_init) X(otrl_userstate_create) X(otrl_userstate_free) X(otrl_privkey_generate) X(otrl_privkey_read) X(otrl_instag_generate) \
    X(otrl_context_find) X(otrl_message_sending) X(otrl_message_receiving) X(otrl_message_free) \
    X(otrl_message_initiate_smp) X(otrl_message_respond_smp) X(otrl_message_disconnect_all_instances) X(otrl_tlv_free)
static struct {
#define X(function) __typeof__(&function) function;
    FUNCTIONS(X)
#undef X
} lib;

enum { QUEUE = 4096 };
typedef struct side {
    const char *name;
    struct side *peer;
    OtrlUserState us;
    char *queue[QUEUE];     /* what was sent to this side */
    int head, tail, asked;
} side;

static void fail(const char *what)
{
    fprintf(stderr, "workload: %s\n", what);
    exit(2);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void put(side *to, const char *text)
{
    if (to->tail - to->head == QUEUE) fail("queue full");
    to->queue[to->tail++ % QUEUE] = strdup(text);
}

static OtrlPolicy policy(void *self, ConnContext *c) { (void)self; (void)c; return OTRL_POLICY_MANUAL; }
static int logged_in(void *self, const char *a, const char *p, const char *r) { (void)self; (void)a; (void)p; (void)r; return 1; }
static void inject(void *self, const char *a, const char *p, const char *r, const char *text)
{
    (void)a; (void)p; (void)r;
    put(((side *)self)->peer, text);
}
static void smp_event(void *self, OtrlSMPEvent event, ConnContext *c, unsigned short percent, char *question)
{
    (void)c; (void)percent; (void)question;
    if (event == OTRL_SMPEVENT_ASK_FOR_SECRET) ((side *)self)->asked = 1;
}
static const OtrlMessageAppOps ops = {
    .policy = policy, .is_logged_in = logged_in, .inject_message = inject, .handle_smp_event = smp_event,
};

static ConnContext *context(side *s)
{
    return lib.otrl_context_find(s->us, s->peer->name, s->name, "bench", OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

static char *encrypt(side *s, const char *text)
{
    char *sealed = NULL;
    if (lib.otrl_message_sending(s->us, &ops, s, s->name, "bench", s->peer->name, OTRL_INSTAG_BEST, text, NULL, &sealed,
                                 OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) || !sealed)
        fail("sending");
    return sealed;
}

static void receive(side *s, const char *text)
{
    char *shown = NULL;
    OtrlTLV *tlvs = NULL;
    lib.otrl_message_receiving(s->us, &ops, s, s->name, "bench", s->peer->name, text, &shown, &tlvs, NULL, NULL, NULL);
    lib.otrl_message_free(shown);
    lib.otrl_tlv_free(tlvs);
}

static void settle(side *a)
{
    side *both[2] = {a, a->peer};
    for (int moved = 1; moved;) {
        moved = 0;
        for (int i = 0; i < 2; i++)
            while (both[i]->head != both[i]->tail) {
                char *text = both[i]->queue[both[i]->head++ % QUEUE];
                receive(both[i], text);
                free(text);
                moved = 1;
            }
    }
}

static void exchange_keys(side *a, const char *query)
{
    put(a, query);
    settle(a);
    ConnContext *mine = context(a), *theirs = context(a->peer);
    if (!mine || !theirs || mine->msgstate != OTRL_MSGSTATE_ENCRYPTED || theirs->msgstate != OTRL_MSGSTATE_ENCRYPTED)
        fail("no private conversation");
}

static void hang_up(side *a)
{
    for (int i = 0; i < 2; i++, a = a->peer)
        lib.otrl_message_disconnect_all_instances(a->us, &ops, a, a->name, "bench", a->peer->name);
    settle(a);
}

static void say(side *from, const char *text)
{
    char *sealed = encrypt(from, text);
    receive(from->peer, sealed);
    lib.otrl_message_free(sealed);
}

static void compare_secrets(side *a)
{
    const unsigned char secret[] = "secret";
    a->peer->asked = 0;
    lib.otrl_message_initiate_smp(a->us, &ops, a, context(a), secret, 6);
    settle(a);
    if (!a->peer->asked) fail("nobody was asked");
    lib.otrl_message_respond_smp(a->peer->us, &ops, a->peer, context(a->peer), secret, 6);
    settle(a);
}

#define MEASURE(name, times, work) do { \
        work; \
        double start = seconds(); \
        for (int n = 0; n < (times); n++) { work; } \
        printf("%s %.0f\n", name, (seconds() - start) / (times) * 1e9); \
    } while (0)

static void data(side *a, size_t size)
{
    enum { TIMES = 400 };
    static char *sealed[TIMES];
    char name[40], *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    double start = seconds();
    for (int n = 0; n < TIMES; n++) sealed[n] = encrypt(a, text);
    snprintf(name, sizeof name, "encrypt-%zu", size);
    printf("%s %.0f\n", name, (seconds() - start) / TIMES * 1e9);
    start = seconds();
    for (int n = 0; n < TIMES; n++) receive(a->peer, sealed[n]);
    snprintf(name, sizeof name, "decrypt-%zu", size);
    printf("%s %.0f\n", name, (seconds() - start) / TIMES * 1e9);
    for (int n = 0; n < TIMES; n++) lib.otrl_message_free(sealed[n]);
    free(text);
}

int main(int argc, char **argv)
{
    if (argc != 3) fail("usage: workload LIBRARY KEYFOLDER");
    void *handle = dlopen(argv[1], RTLD_NOW);
    if (!handle) fail(dlerror());
#define X(function) if (!(lib.function = (__typeof__(&function))dlsym(handle, #function))) fail(#function);
    FUNCTIONS(X)
#undef X
    if (lib.otrl_init(4, 1, 1)) fail("otrl_init");
    static side alice = {.name = "alice"}, bob = {.name = "bob"};
    alice.peer = &bob;
    bob.peer = &alice;
    side *both[2] = {&alice, &bob};
    for (int i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[2], both[i]->name);
        both[i]->us = lib.otrl_userstate_create();
        if (lib.otrl_privkey_read(both[i]->us, path) && lib.otrl_privkey_generate(both[i]->us, path, both[i]->name, "bench"))
            fail("no private key");
        if (lib.otrl_instag_generate(both[i]->us, "/dev/null", both[i]->name, "bench")) fail("no instance tag");
    }
    MEASURE("key-exchange-v2", 60, { exchange_keys(&alice, "?OTRv2?"); hang_up(&alice); });
    MEASURE("key-exchange-v3", 60, { exchange_keys(&alice, "?OTRv3?"); hang_up(&alice); });
    exchange_keys(&alice, "?OTRv3?");
    MEASURE("round-trip", 100, { say(&alice, "hello"); say(&bob, "hello"); });
    MEASURE("smp", 5, compare_secrets(&alice));
    say(&alice, "hello");
    say(&bob, "hello");
    say(&alice, "hello");
    data(&alice, 64);
    data(&alice, 1024);
    data(&alice, 65536);
    lib.otrl_userstate_free(alice.us);
    lib.otrl_userstate_free(bob.us);
    return 0;
}
