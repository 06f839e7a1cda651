/* What many contacts cost. */
#include "library.h"

static ConnContext *find(OtrlUserState us, int number, int add)
{
    char name[40];
    snprintf(name, sizeof name, "user%07d@example.org", number);
    return lib.otrl_context_find(us, name, "alice", "bench", OTRL_INSTAG_MASTER, add, NULL, NULL, NULL);
}

static void add_all(OtrlUserState us, int count)
{
    /* Neither in order nor in reverse: 7919 is a prime. */
    for (int n = 0; n < count; n++)
        if (!find(us, (int)((long)n * 7919 % count), 1)) fail("adding a contact");
}

static OtrlPolicy policy(void *self, ConnContext *c) { (void)self; (void)c; return OTRL_POLICY_MANUAL; }
static const OtrlMessageAppOps ops = {.policy = policy};

static void receive(OtrlUserState us, int number)
{
    char name[40], *shown = NULL;
    snprintf(name, sizeof name, "user%07d@example.org", number);
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
    int times = count < 10000 ? 2000 : 500;
    start = seconds();
    for (int n = 0; n < times; n++)
        if (!find(us, (int)((long)n * 7919 % count), 0)) fail("finding a contact");
    report_time("find", count, seconds() - start, times);
    start = seconds();
    for (int n = 0; n < times; n++) receive(us, (int)((long)n * 7919 % count));
    report_time("receive-plain", count, seconds() - start, times);
    start = seconds();
    for (int n = 0; n < times; n++) lib.otrl_message_poll(us, &ops, NULL);
    report_time("poll", count, seconds() - start, times);
    start = seconds();
    lib.otrl_userstate_free(us);
    report_time("free", count, seconds() - start, count);
    us = lib.otrl_userstate_create();
    start = seconds();
    if (lib.otrl_privkey_read_fingerprints(us, path, NULL, NULL)) fail("reading fingerprints");
    report_time("read-fingerprints", count, seconds() - start, 1);
    start = seconds();
    if (lib.otrl_privkey_write_fingerprints(us, path)) fail("writing fingerprints");
    report_time("write-fingerprints", count, seconds() - start, 1);
    lib.otrl_userstate_free(us);
}
