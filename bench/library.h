/* The library that is measured, loaded by path, and what the measurements share. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libotr/proto.h>
#include <libotr/context.h>
#include <libotr/privkey.h>
#include <libotr/message.h>

#define FUNCTIONS(X) \
    X(otrl_init) X(otrl_userstate_create) X(otrl_userstate_free) X(otrl_instag_generate) X(otrl_context_find) \
    X(otrl_privkey_generate) X(otrl_privkey_generate_start) X(otrl_privkey_generate_calculate) \
    X(otrl_privkey_generate_cancelled) X(otrl_privkey_read) X(otrl_privkey_read_fingerprints) \
    X(otrl_privkey_write_fingerprints) X(otrl_message_sending) X(otrl_message_receiving) X(otrl_message_free) \
    X(otrl_message_poll) X(otrl_message_initiate_smp) X(otrl_message_respond_smp) \
    X(otrl_message_disconnect_all_instances) X(otrl_tlv_free)
struct library {
#define X(function) __typeof__(&function) function;
    FUNCTIONS(X)
#undef X
};
extern struct library lib;

/* Ends the process. */
_Noreturn void fail(const char *what);

/* CPU time of the process in seconds. */
double seconds(void);

/* The memory that the process has, in bytes. */
double memory(void);

/* Prints what one operation costs: `total` seconds or bytes divided by `times`. */
void report_time(const char *name, int number, double total, double times);
void report_memory(const char *name, int number, double total, double times);

/* Measures a user state with so many contacts; `folder` takes a file of fingerprints. */
void contacts(int count, const char *folder);
