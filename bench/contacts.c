/* What many contacts cost. */
#include "library.h"

static ConnContext *find(OtrlUserState us, const char *name, int add)
{
    return lib.otrl_context_find(us, name, "alice", "bench", OTRL_INSTAG_MASTER, add, NULL, NULL, NULL);
}

static void add_all(OtrlUserState us, int count)
{
    /* Neither in order nor in reverse: 7919 is a prime. */
    for (int n = 0; n < count; n++)
    {
        char name[40];
        snprintf(name, sizeof name, "user%07d@example.org", (int)((long)n * 7919 % count));
        if (!find(us, name, 1)) fail("adding a contact");
    }
}

static OtrlPolicy policy(void *self, ConnContext *c) { (void)self; (void)c; return OTRL_POLICY_MANUAL; }
static const OtrlMessageAppOps ops = {.policy = policy};

static void receive(OtrlUserState us, const char *name)
{
    char *shown = NULL;
    lib.otrl_message_receiving(us, &ops, NULL, "alice", "bench", name, "hello", &shown, NULL, NULL, NULL, NULL);
    lib.otrl_message_free(shown);
}

/* A file as the library writes it, with a fingerprint for each contact. */
static void make_file(const char *path, int count)
{
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    for (int n = 0; n < count; n++) fprintf(file, "user%07d@example.org\talice\tbench\t%040x\tverified\n", n, n);
    fclose(file);
}

/* Names are made beforehand: printing one takes longer than finding it. */
static void look_up(OtrlUserState us, int count)
{
    enum { NAMES = 256 };
    static char known[NAMES][40], unknown[NAMES][40];
    for (int n = 0; n < NAMES; n++) {
        int number = (int)((long)n * 7919 % count);
        snprintf(known[n], sizeof known[n], "user%07d@example.org", number);
        snprintf(unknown[n], sizeof unknown[n], "user%07dx@example.org", number);
    }
    /* The original takes 0.2 ms for each of 10,000. */
    int rounds = count < 1000 ? 400 : count < 10000 ? 40 : 4;
#define EACH(name, work) do { \
        double start = seconds(); \
        for (int round = 0; round < rounds; round++) \
            for (int n = 0; n < NAMES; n++) work; \
        report_time(name, count, seconds() - start, (double)rounds * NAMES); \
    } while (0)
    EACH("find", { if (!find(us, known[n], 0)) fail("finding a contact"); });
    EACH("find-none", { if (find(us, unknown[n], 0)) fail("finding no contact"); });
    EACH("receive-plain", receive(us, known[n]));
    EACH("poll", lib.otrl_message_poll(us, &ops, NULL));
}

void contacts(int count, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/fingerprints", folder);
    make_file(path, count);
    OtrlUserState us = lib.otrl_userstate_create();
    double before = memory(), start = seconds();
    add_all(us, count);
    report_time("add", count, seconds() - start, count);
    /* With fewer, pages that were there already decide. */
    if (count >= 10000) report_memory("memory-contact", count, memory() - before, count);
    start = seconds();
    lib.otrl_userstate_free(us);
    report_time("free", count, seconds() - start, count);
    us = lib.otrl_userstate_create();
    start = seconds();
    if (lib.otrl_privkey_read_fingerprints(us, path, NULL, NULL)) fail("reading fingerprints");
    report_time("read-fingerprints", count, seconds() - start, 1);
    enum { WRITES = 10 };
    start = seconds();
    for (int n = 0; n < WRITES; n++)
        if (lib.otrl_privkey_write_fingerprints(us, path)) fail("writing fingerprints");
    report_time("write-fingerprints", count, seconds() - start, WRITES);
    look_up(us, count);
    lib.otrl_userstate_free(us);
}
