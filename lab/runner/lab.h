/* lab.h - what the parts of the runner share.
 *
 * A runner hosts the clients of one library.  It loads the library by path,
 * reads one command per line from standard input and answers every command
 * with log lines and a closing line that holds a single dot.  Words are
 * separated by single spaces and percent-encoded; see text.c.
 *
 * Only the public headers are needed to build it; nothing of the library
 * under test is linked in. */
#ifndef LAB_H
#define LAB_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/instag.h>
#include <libotr/userstate.h>
#include <libotr/context.h>
#include <libotr/tlv.h>
#include <libotr/b64.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/version.h>

/* ---- the library under test: every function that some command calls ---- */
#define LAB_FUNCTIONS(X) \
    X(otrl_init) X(otrl_version) X(otrl_mem_differ) \
    X(otrl_userstate_create) X(otrl_userstate_free) \
    X(otrl_base64_encode) X(otrl_base64_decode) \
    X(otrl_base64_otr_encode) X(otrl_base64_otr_decode) \
    X(otrl_proto_message_type) X(otrl_proto_message_version) \
    X(otrl_proto_instance) X(otrl_proto_query_bestversion) \
    X(otrl_proto_default_query_msg) X(otrl_proto_whitespace_bestversion) \
    X(otrl_proto_fragment_create) X(otrl_proto_fragment_free) \
    X(otrl_proto_fragment_accumulate) X(otrl_proto_data_read_flags) \
    X(otrl_tlv_new) X(otrl_tlv_free) X(otrl_tlv_parse) X(otrl_tlv_find) \
    X(otrl_tlv_seriallen) X(otrl_tlv_serialize) \
    X(otrl_dh_incctr) X(otrl_dh_cmpctr) \
    X(otrl_context_find) X(otrl_context_find_recent_instance) \
    X(otrl_context_find_recent_secure_instance) \
    X(otrl_context_update_recent_child) X(otrl_context_find_fingerprint) \
    X(otrl_context_set_trust) X(otrl_context_is_fingerprint_trusted) \
    X(otrl_context_force_finished) X(otrl_context_force_plaintext) \
    X(otrl_context_forget) X(otrl_context_forget_all) \
    X(otrl_context_forget_fingerprint) \
    X(otrl_message_sending) X(otrl_message_receiving) X(otrl_message_free) \
    X(otrl_message_disconnect) X(otrl_message_disconnect_all_instances) \
    X(otrl_message_initiate_smp) X(otrl_message_initiate_smp_q) \
    X(otrl_message_respond_smp) X(otrl_message_abort_smp) \
    X(otrl_message_symkey) X(otrl_message_poll) \
    X(otrl_message_poll_get_default_interval) \
    X(otrl_privkey_read) X(otrl_privkey_read_FILEp) X(otrl_privkey_find) \
    X(otrl_privkey_forget) X(otrl_privkey_forget_all) \
    X(otrl_privkey_fingerprint) X(otrl_privkey_fingerprint_raw) \
    X(otrl_privkey_hash_to_human) X(otrl_privkey_generate) \
    X(otrl_privkey_generate_start) X(otrl_privkey_generate_calculate) \
    X(otrl_privkey_generate_finish) X(otrl_privkey_generate_finish_FILEp) \
    X(otrl_privkey_generate_cancelled) X(otrl_privkey_pending_forget_all) \
    X(otrl_privkey_sign) X(otrl_privkey_verify) \
    X(otrl_privkey_read_fingerprints) X(otrl_privkey_write_fingerprints) \
    X(otrl_instag_read) X(otrl_instag_write) X(otrl_instag_generate) \
    X(otrl_instag_generate_FILEp) X(otrl_instag_find) X(otrl_instag_get_new) \
    X(otrl_instag_forget) X(otrl_instag_forget_all) X(otrl_sm_state_free)

struct library {
#define X(function) __typeof__(function) *function;
    LAB_FUNCTIONS(X)
#undef X
    unsigned int *api_version;
};
extern struct library lib;

/* ---- clients ------------------------------------------------------------ */
#define PROTOCOL "prpl"

/* A command that runs inside a callback. */
struct hook {
    char *callback;
    int every;                      /* at every call */
    int countdown;                  /* otherwise: at the call that brings it to 0 */
    char *command;
    struct hook *next;
};

struct client {
    char *name, *account;
    char *keyfile, *tagfile;        /* NULL: none */
    OtrlUserState us;
    OtrlMessageAppOps ops;          /* members may be NULL */
    OtrlPolicy policy;
    int max_size;                   /* max_message_size; 0 = unlimited */
    int logged_in;
    int error_text;                 /* otr_error_message: 1 a text, 0 NULL, 2 empty */
    int make_key;                   /* create_privkey: 0 nothing, 1 read the key file, 2 generate */
    int make_tag;                   /* create_instag: 0 nothing, 1 read the tag file, 2 generate */
    int convert;                    /* convert_msg: 0 leaves alone, 1 appends, 2 empty text */
    int app_data;                   /* pass add_app_data callbacks */
    int no_tlvs, no_contextp;       /* pass NULL for these outputs */
    int asked;                      /* an SMP event asked for an answer */
    void *pending;                  /* handle of a background key generation */
    struct hook *hooks;
    struct client *next;
};
extern struct client *clients;
struct client *client_find(const char *name);

/* ---- text.c ------------------------------------------------------------- */
void emit(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *enc(const char *text);                       /* "~" for NULL */
const char *enc_bytes(const void *bytes, size_t count);  /* percent-encoded */
const char *hex(const void *bytes, size_t count);
char *dec(char *word);                                   /* in place; "~" gives NULL */
unsigned char *unhex(const char *text, size_t *count);   /* malloc'd */

/* ---- callbacks.c -------------------------------------------------------- */
void callbacks_all(struct client *c);
int callback_clear(struct client *c, const char *name);  /* 1 if there is such a member */
void added_context(void *data, ConnContext *context);
void hooks_run(struct client *c, const char *callback);
extern int hook_depth;                                   /* above 0 inside a hook */

/* ---- snapshot.c --------------------------------------------------------- */
const char *context_name(ConnContext *context);
const char *context_brief(ConnContext *context);
void snapshot(struct client *c);

/* ---- commands ----------------------------------------------------------- */
struct command {
    const char *name;
    int words;                      /* least number of words, the name included */
    void (*run)(int argc, char **argv);
};
extern const struct command session_commands[], context_commands[], plain_commands[], file_commands[];
void run_command(char *line);
otrl_instag_t tag_of(const char *word);

/* ---- world.c: clock and randomness -------------------------------------- */
void clock_set(long long seconds);
long long clock_now(void);
void random_seed(uint64_t seed);
void powers_start(void);

#endif
