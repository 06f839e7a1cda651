/*
 * Measures one libotr.so.5, loaded by path, and prints a line "NAME NUMBER UNIT" for each workload: CPU time of the process
 * per operation in ns, or memory in B. The two sides of a conversation live in this process and talk through a queue, so
 * nothing but the library is measured.
 *
 *     workload LIBRARY FOLDER [CONTACTS]
 *
 * FOLDER gets the two private keys at the first run; later runs, of whichever library, read them. With CONTACTS, only a user
 * state with so many contacts is measured.
 */
#include "library.h"

struct library lib;

enum { QUEUE = 4096 };
typedef struct side {
    const char *name;
    struct side *peer;
    OtrlUserState us;
    char *queue[QUEUE];     /* what was sent to this side */
    int head, tail, asked;
} side;

void fail(const char *what)
{
    fprintf(stderr, "workload: %s\n", what);
    exit(2);
}

double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

double memory(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1) fail("/proc/self/statm");
    fclose(file);
    return (double)pages * sysconf(_SC_PAGESIZE);
}

static void report(const char *name, int number, double value, const char *unit)
{
    if (number) printf("%s-%d %.0f %s\n", name, number, value, unit);
    else printf("%s %.0f %s\n", name, value, unit);
}

void report_time(const char *name, int number, double total, double times)
{
    report(name, number, total / times * 1e9, "ns");
}

void report_memory(const char *name, int number, double total, double times)
{
    report(name, number, total / times, "B");
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
static int limit;       /* the longest text that can be sent; 0 for any */
static int longest(void *self, ConnContext *c) { (void)self; (void)c; return limit; }
static const OtrlMessageAppOps ops = {
    .policy = policy, .is_logged_in = logged_in, .inject_message = inject, .handle_smp_event = smp_event,
    .max_message_size = longest,
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
        report_time(name, 0, seconds() - start, times); \
    } while (0)

static char *text_of(int size)
{
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    return text;
}

static void data(side *a, int size)
{
    enum { TIMES = 400 };
    static char *sealed[TIMES];
    char *text = text_of(size);
    double start = seconds();
    for (int n = 0; n < TIMES; n++) sealed[n] = encrypt(a, text);
    report_time("encrypt", size, seconds() - start, TIMES);
    start = seconds();
    for (int n = 0; n < TIMES; n++) receive(a->peer, sealed[n]);
    report_time("decrypt", size, seconds() - start, TIMES);
    for (int n = 0; n < TIMES; n++) lib.otrl_message_free(sealed[n]);
    free(text);
}

/* 64 KiB in pieces of 400 bytes. */
static void pieces(side *a)
{
    enum { TIMES = 100 };
    char *text = text_of(65536), *sealed = NULL;
    double sending = 0, receiving = 0;
    limit = 400;
    for (int n = 0; n < TIMES; n++) {
        double start = seconds();
        if (lib.otrl_message_sending(a->us, &ops, a, a->name, "bench", a->peer->name, OTRL_INSTAG_BEST, text, NULL, &sealed,
                                     OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL)) fail("sending");
        lib.otrl_message_free(sealed);
        double middle = seconds();
        settle(a);
        sending += middle - start;
        receiving += seconds() - middle;
    }
    limit = 0;
    report_time("send-pieces", 0, sending, TIMES);
    report_time("receive-pieces", 0, receiving, TIMES);
    free(text);
}

/* A line of text that has nothing to do with OTR. */
static void plain(side *a)
{
    char *text = text_of(64), *instead;
    MEASURE("send-plain", 100000, {
        instead = NULL;
        lib.otrl_message_sending(a->us, &ops, a, a->name, "bench", a->peer->name, OTRL_INSTAG_BEST, text, NULL, &instead,
                                 OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
        if (instead) fail("a text was changed");
    });
    MEASURE("receive-plain", 100000, receive(a->peer, text));
    free(text);
}

/* The mean, as the time that it takes to find primes is a matter of chance. */
static void make_keys(side *a)
{
    enum { TIMES = 25 };
    double start = seconds();
    for (int n = 0; n < TIMES; n++) {
        void *key = NULL;
        if (lib.otrl_privkey_generate_start(a->us, "new", "bench", &key) || lib.otrl_privkey_generate_calculate(key))
            fail("making a key");
        lib.otrl_privkey_generate_cancelled(a->us, key);
    }
    report_time("make-key", 0, seconds() - start, TIMES);
}

/* Reads a file of so many private keys, which are all the same one. */
static void read_keys(const char *folder, int count)
{
    enum { LONGEST = 4096, TIMES = 100 };
    char path[4096], one[LONGEST + 1], *end;
    snprintf(path, sizeof path, "%s/alice", folder);
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    one[fread(one, 1, LONGEST, file)] = 0;
    fclose(file);
    /* The file is "(privkeys (account (name ...) (protocol ...) (private-key ...)))". */
    char *key = strstr(one, "(private-key");
    if (!key) fail("no private key in the file");
    for (int i = 0; i < 2; i++)
        if ((end = strrchr(key, ')'))) *end = 0;
    snprintf(path, sizeof path, "%s/keys", folder);
    if (!(file = fopen(path, "w"))) fail(path);
    fprintf(file, "(privkeys\n");
    for (int n = 0; n < count; n++) fprintf(file, "(account\n(name user%d)\n(protocol bench)\n%s)\n", n, key);
    fprintf(file, ")\n");
    fclose(file);
    double total = 0;
    for (int n = 0; n < TIMES; n++) {
        OtrlUserState us = lib.otrl_userstate_create();
        double start = seconds();
        if (lib.otrl_privkey_read(us, path)) fail("reading keys");
        total += seconds() - start;
        lib.otrl_userstate_free(us);
    }
    report_time("read-keys", count, total, TIMES);
}

static void load(const char *path)
{
    double before = memory(), start = seconds();
    void *handle = dlopen(path, RTLD_NOW);
    if (!handle) fail(dlerror());
#define X(function) if (!(lib.function = (__typeof__(&function))dlsym(handle, #function))) fail(#function);
    FUNCTIONS(X)
#undef X
    if (lib.otrl_init(4, 1, 1)) fail("otrl_init");
    report_time("load", 0, seconds() - start, 1);
    report_memory("memory-load", 0, memory() - before, 1);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) fail("usage: workload LIBRARY FOLDER [CONTACTS]");
    double start = seconds();
    load(argv[1]);
    if (argc == 4) {
        contacts(atoi(argv[3]), argv[2]);
        return 0;
    }
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
        snprintf(path, sizeof path, "%s/tags", argv[2]);
        if (lib.otrl_instag_generate(both[i]->us, path, both[i]->name, "bench")) fail("no instance tag");
    }
    exchange_keys(&alice, "?OTRv3?");
    report_time("first-key-exchange", 0, seconds() - start, 1);
    hang_up(&alice);
    plain(&alice);
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
    pieces(&alice);
    make_keys(&alice);
    read_keys(argv[2], 1);
    read_keys(argv[2], 100);
    lib.otrl_userstate_free(alice.us);
    lib.otrl_userstate_free(bob.us);
    return 0;
}
