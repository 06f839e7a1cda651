//@ options: -D_GNU_SOURCE -lgcrypt
//@ ours only: libotr 4.1.1 crashes
/* NULL for each pointer of each function, one by one and all together: an error or nothing, never a crash. What the functions
 * get otherwise is right. A whole conversation at the end shows that no harm was done.
 */
#define main whole_conversation
#include "conversation.c"
#undef main

#include <libotr/b64.h>
#include <libotr/dh.h>
#include <libotr/mem.h>
#include <libotr/sm.h>
#include <libotr/tlv.h>

/* In no header, but exported. */
void otrl_sm_msg1_init(gcry_mpi_t **msg);
void otrl_sm_msg2_init(gcry_mpi_t **msg);
void otrl_sm_msg3_init(gcry_mpi_t **msg);
void otrl_sm_msg4_init(gcry_mpi_t **msg);
void otrl_sm_msg_free(gcry_mpi_t **msg, int size);

/* What one call works on; made anew for each. */
static struct {
    OtrlUserState us;
    ConnContext *bob;
    OtrlPrivKey *key;
    Fingerprint *print;
    OtrlInsTag *tag;
    FILE *file;
    OtrlTLV *tlv;
    OtrlSMState sm;
    DH_keypair pair;
    DH_sesskeys keys;
    struct context own;
} w;

static char *keys_text;
static size_t keys_len;

static void set_up(void)
{
    static unsigned char bytes[20] = {1, 2, 3};
    FILE *keys = fmemopen(keys_text, keys_len, "r"), *tags = tmpfile();

    memset(&w, 0, sizeof w);
    w.us = otrl_userstate_create();
    CHECK(!otrl_privkey_read_FILEp(w.us, keys));
    CHECK(!otrl_instag_generate_FILEp(w.us, tags, "me", PROTOCOL));
    fclose(keys);
    fclose(tags);
    w.key = otrl_privkey_find(w.us, "me", PROTOCOL);
    w.tag = otrl_instag_find(w.us, "me", PROTOCOL);
    w.bob = otrl_context_find(w.us, "bob", "me", PROTOCOL, 0x1234, 1, NULL, NULL, NULL);
    w.print = otrl_context_find_fingerprint(w.bob, bytes, 1, NULL);
    w.file = tmpfile();
    w.tlv = otrl_tlv_new(OTRL_TLV_SYMKEY, 4, bytes);
    otrl_sm_state_new(&w.sm);
    otrl_sm_state_init(&w.sm);
    otrl_dh_gen_keypair(DH1536_GROUP_ID, &w.pair);
    otrl_auth_new(&w.own);
}

static void tear_down(void)
{
    otrl_auth_clear(&w.own.auth);
    otrl_dh_session_free(&w.keys);
    otrl_dh_keypair_free(&w.pair);
    otrl_sm_state_free(&w.sm);
    otrl_tlv_free(w.tlv);
    fclose(w.file);
    otrl_userstate_free(w.us);
}

static gcry_error_t succeeded(const OtrlAuthInfo *auth, void *data)
{
    (void)auth, (void)data;
    return 0;
}

/* CALL(pointers, what): a call with `pointers` pointers of which P(number, value) is one. */
#define P(number, value) ((nulls >> (number)) & 1 ? NULL : (value))
#define CALL(pointers, what) \
    do { \
        unsigned nulls_of_call; \
        for (nulls_of_call = 0; nulls_of_call <= (pointers); nulls_of_call++) { \
            unsigned nulls = nulls_of_call < (pointers) ? 1u << nulls_of_call : (1u << (pointers)) - 1; \
            set_up(); \
            what; \
            tear_down(); \
            calls++; \
        } \
    } while (0)

static int calls;
static unsigned char buffer[4096];
static char text[4096];

static void drop(void *block)
{
    free(block);
}

static void values(void)
{
    const char *start, *end;
    unsigned char *bytes = NULL;
    unsigned int from, to;
    size_t len;
    char *made = NULL, **pieces = NULL;

    CALL(2, otrl_base64_encode(P(0, text), P(1, (const unsigned char *)"abc"), 3));
    CALL(2, otrl_base64_decode(P(0, buffer), P(1, "YWJj"), 4));
    CALL(1, drop(otrl_base64_otr_encode(P(0, (const unsigned char *)"abc"), 3)));
    CALL(3, (bytes = NULL, otrl_base64_otr_decode(P(0, "?OTR:YWJj."), P(1, &bytes), P(2, &len)), free(bytes)));
    CALL(2, otrl_mem_differ(P(0, buffer), P(1, buffer + 1), 5));
    CALL(1, otrl_message_free(P(0, strdup("text"))));
    CALL(1, drop(otrl_proto_default_query_msg(P(0, "me"), OTRL_POLICY_DEFAULT)));
    CALL(1, otrl_proto_query_bestversion(P(0, "?OTRv23?"), OTRL_POLICY_DEFAULT));
    CALL(3, otrl_proto_whitespace_bestversion(P(0, "x" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V2), P(1, &start), P(2, &end),
                                              OTRL_POLICY_DEFAULT));
    CALL(1, otrl_proto_message_type(P(0, "?OTR:AAMD")));
    CALL(1, otrl_proto_message_version(P(0, "?OTR:AAMD")));
    CALL(3, otrl_proto_instance(P(0, "?OTR:AAMDABCDABCDABCDEFGH"), P(1, &from), P(2, &to)));
    CALL(2, otrl_proto_data_read_flags(P(0, "?OTR:AAMDAAAAAAAAAAAAAA."), P(1, buffer)));
    CALL(5, (made = NULL, otrl_proto_create_data(P(0, &made), P(1, w.bob), P(2, "text"), P(3, w.tlv), 0, P(4, buffer)),
             free(made)));
    CALL(6, (made = NULL, otrl_proto_accept_data(P(0, &made), P(1, &w.tlv->next), P(2, w.bob), P(3, "?OTR:AAMDAAAA."),
                                                 P(4, buffer), P(5, buffer + 64)), free(made)));
    CALL(3, (made = NULL, otrl_proto_fragment_accumulate(P(0, &made), P(1, w.bob), P(2, "?OTR,1,1,text,")), free(made)));
    CALL(3, (pieces = NULL, otrl_proto_fragment_create(50, 2, P(0, &pieces), P(1, w.bob), P(2, "a text")),
             otrl_proto_fragment_free(&pieces, 2)));
    CALL(1, otrl_proto_fragment_free(P(0, &pieces), 0));
    pieces = NULL;
    otrl_proto_fragment_free(&pieces, 3);
    CALL(1, otrl_tlv_free(otrl_tlv_new(1, 3, P(0, (const unsigned char *)"abc"))));
    CALL(1, otrl_tlv_free(otrl_tlv_parse(P(0, (const unsigned char *)"\0\1\0\0"), 4)));
    CALL(1, otrl_tlv_seriallen(P(0, w.tlv)));
    CALL(2, otrl_tlv_serialize(P(0, buffer), P(1, w.tlv)));
    CALL(1, otrl_tlv_find(P(0, w.tlv), OTRL_TLV_SYMKEY));
    CALL(2, otrl_privkey_hash_to_human(P(0, text), P(1, buffer)));
    otrl_tlv_free(NULL);
}

static void contexts(void)
{
    int added;

    CALL(6, otrl_context_find(P(0, w.us), P(1, "new"), P(2, "me"), P(3, PROTOCOL), 0x200, 1, P(4, &added),
                              P(5, add_application_data), &alice));
    CALL(1, otrl_context_is_fingerprint_trusted(P(0, w.print)));
    CALL(1, otrl_context_update_recent_child(P(0, w.bob), 1));
    CALL(3, otrl_context_find_fingerprint(P(0, w.bob), P(1, buffer), 1, P(2, &added)));
    CALL(2, otrl_context_set_trust(P(0, w.print), P(1, "trust")));
    CALL(1, otrl_context_force_finished(P(0, w.bob)));
    CALL(1, otrl_context_force_plaintext(P(0, w.bob)));
    CALL(1, otrl_context_forget_fingerprint(P(0, w.print), 1));
    CALL(1, otrl_context_forget(P(0, w.bob)));
    CALL(1, otrl_context_forget_all(P(0, w.us)));
    CALL(1, otrl_context_find_recent_instance(P(0, w.bob), OTRL_INSTAG_RECENT));
    CALL(1, otrl_context_find_recent_secure_instance(P(0, w.bob)));
    CALL(1, otrl_context_priv_force_finished(P(0, w.bob->context_priv)));
    CALL(1, otrl_userstate_free(P(0, otrl_userstate_create())));
}

static void files(void)
{
    const char *file = path(&alice, "file");
    void *handle = NULL;
    unsigned char *signature = NULL;
    size_t len;

    CALL(1, otrl_instag_forget(P(0, w.tag)));
    CALL(1, otrl_instag_forget_all(P(0, w.us)));
    CALL(3, otrl_instag_find(P(0, w.us), P(1, "me"), P(2, PROTOCOL)));
    CALL(2, otrl_instag_read(P(0, w.us), P(1, file)));
    CALL(2, otrl_instag_read_FILEp(P(0, w.us), P(1, w.file)));
    CALL(4, otrl_instag_generate(P(0, w.us), P(1, file), P(2, "new"), P(3, PROTOCOL)));
    CALL(4, otrl_instag_generate_FILEp(P(0, w.us), P(1, w.file), P(2, "new"), P(3, PROTOCOL)));
    CALL(2, otrl_instag_write(P(0, w.us), P(1, file)));
    CALL(2, otrl_instag_write_FILEp(P(0, w.us), P(1, w.file)));

    CALL(4, otrl_privkey_fingerprint(P(0, w.us), P(1, text), P(2, "me"), P(3, PROTOCOL)));
    CALL(4, otrl_privkey_fingerprint_raw(P(0, w.us), P(1, buffer), P(2, "me"), P(3, PROTOCOL)));
    CALL(3, otrl_privkey_find(P(0, w.us), P(1, "me"), P(2, PROTOCOL)));
    CALL(1, otrl_privkey_forget(P(0, w.key)));
    CALL(1, otrl_privkey_forget_all(P(0, w.us)));
    CALL(2, otrl_privkey_read(P(0, w.us), P(1, file)));
    CALL(2, otrl_privkey_read_FILEp(P(0, w.us), P(1, w.file)));
    CALL(4, (handle = NULL, otrl_privkey_generate_start(P(0, w.us), P(1, "new"), P(2, PROTOCOL), P(3, &handle)),
             otrl_privkey_generate_cancelled(w.us, handle)));
    CHECK(otrl_privkey_generate_calculate(NULL) != 0);
    CHECK(otrl_privkey_generate_finish(NULL, NULL, NULL) != 0);
    CALL(2, (CHECK(!otrl_privkey_generate_start(w.us, "new", PROTOCOL, &handle)),
             otrl_privkey_generate_finish(P(0, w.us), NULL, P(1, file)),
             otrl_privkey_generate_finish_FILEp(P(0, w.us), NULL, P(1, w.file)),
             otrl_privkey_generate_cancelled(P(0, w.us), NULL), otrl_privkey_generate_cancelled(P(0, w.us), handle)));
    CALL(3, CHECK(otrl_privkey_generate(P(0, w.us), NULL, P(1, "new"), P(2, PROTOCOL)) != 0));
    CALL(4, CHECK(otrl_privkey_generate_FILEp(P(0, w.us), P(1, w.file), P(2, "new"), P(3, PROTOCOL)) != 0));
    CALL(3, otrl_privkey_read_fingerprints(P(0, w.us), P(1, file), P(2, add_application_data), &alice));
    CALL(3, otrl_privkey_read_fingerprints_FILEp(P(0, w.us), P(1, w.file), P(2, add_application_data), &alice));
    CALL(2, otrl_privkey_write_fingerprints(P(0, w.us), P(1, file)));
    CALL(2, otrl_privkey_write_fingerprints_FILEp(P(0, w.us), P(1, w.file)));
    CALL(4, (signature = NULL, otrl_privkey_sign(P(0, &signature), P(1, &len), P(2, w.key), P(3, buffer), 20), free(signature)));
    CALL(3, CHECK(otrl_privkey_verify(P(0, buffer), 40, OTRL_PUBKEY_TYPE_DSA, P(1, w.key->privkey), P(2, buffer), 20) != 0));
    CALL(1, otrl_privkey_pending_forget_all(P(0, w.us)));
    unlink(file);
}

static void numbers(void)
{
    unsigned char id[20], counter[16] = {0};
    size_t len;
    gcry_cipher_hd_t c[2];
    gcry_md_hd_t m[4];
    OtrlSessionIdHalf half;
    unsigned char *out = NULL;
    gcry_mpi_t *array = NULL;
    int size;

    CALL(1, otrl_dh_keypair_init(P(0, &w.own.auth.our_dh)));
    CALL(2, (otrl_dh_keypair_copy(P(0, &w.own.auth.our_dh), P(1, &w.pair))));
    CALL(1, (otrl_dh_keypair_free(P(0, &w.pair))));
    CALL(1, (otrl_dh_gen_keypair(DH1536_GROUP_ID, P(0, &w.own.auth.our_dh))));
    CALL(3, otrl_dh_session(P(0, &w.keys), P(1, &w.pair), P(2, w.pair.pub)));
    CALL(10, (memset(c, 0, sizeof c), memset(m, 0, sizeof m),
              otrl_dh_compute_v2_auth_keys(P(0, &w.pair), P(1, w.pair.pub), P(2, id), P(3, &len), P(4, &c[0]), P(5, &c[1]),
                                           P(6, &m[0]), P(7, &m[1]), P(8, &m[2]), P(9, &m[3])),
              gcry_cipher_close(c[0]), gcry_cipher_close(c[1]), gcry_md_close(m[0]), gcry_md_close(m[1]), gcry_md_close(m[2]),
              gcry_md_close(m[3])));
    CALL(5, otrl_dh_compute_v1_session_id(P(0, &w.pair), P(1, w.pair.pub), P(2, id), P(3, &len), P(4, &half)));
    CALL(1, otrl_dh_session_free(P(0, &w.keys)));
    CALL(1, otrl_dh_session_blank(P(0, &w.keys)));
    CALL(1, otrl_dh_incctr(P(0, counter)));
    CALL(2, otrl_dh_cmpctr(P(0, counter), P(1, counter)));

    CALL(1, otrl_sm_state_new(P(0, &w.sm)));
    CALL(1, otrl_sm_state_free(P(0, &w.sm)));
    CALL(1, otrl_sm_state_init(P(0, &w.sm)));
    CALL(4, (out = NULL, otrl_sm_step1(P(0, &w.sm), P(1, buffer), 5, P(2, &out), P(3, &size)), free(out)));
    CALL(2, otrl_sm_step2a(P(0, &w.sm), P(1, buffer), 500, 1));
    CALL(4, (out = NULL, otrl_sm_step2b(P(0, &w.sm), P(1, buffer), 5, P(2, &out), P(3, &size)), free(out)));
    CALL(4, (out = NULL, otrl_sm_step3(P(0, &w.sm), P(1, buffer), 500, P(2, &out), P(3, &size)), free(out)));
    CALL(4, (out = NULL, otrl_sm_step4(P(0, &w.sm), P(1, buffer), 500, P(2, &out), P(3, &size)), free(out)));
    CALL(2, otrl_sm_step5(P(0, &w.sm), P(1, buffer), 500));
    otrl_sm_msg1_init(NULL);
    otrl_sm_msg2_init(NULL);
    otrl_sm_msg3_init(NULL);
    otrl_sm_msg4_init(NULL);
    otrl_sm_msg_free(NULL, 3);
    otrl_sm_msg_free(&array, 3);
}

static void handshakes(void)
{
    static const char message[] = "?OTR:AAMCAAABAAAAAQAAAAAEAAAA.";
    OtrlAuthInfo *auth = &w.own.auth;
    int have;

    CALL(1, otrl_auth_clear(P(0, auth)));
    otrl_auth_new(NULL);
    CALL(1, otrl_auth_start_v23(P(0, auth), 3));
    CALL(2, otrl_auth_handle_commit(P(0, auth), P(1, message), 3));
    CALL(4, otrl_auth_handle_key(P(0, auth), P(1, message), P(2, &have), P(3, w.key)));
    CALL(5, otrl_auth_handle_revealsig(P(0, auth), P(1, message), P(2, &have), P(3, w.key), P(4, succeeded), NULL));
    CALL(4, otrl_auth_handle_signature(P(0, auth), P(1, message), P(2, &have), P(3, succeeded), NULL));
    CALL(3, otrl_auth_start_v1(P(0, auth), P(1, &w.pair), 1, P(2, w.key)));
    CALL(6, otrl_auth_handle_v1_key_exchange(P(0, auth), P(1, "?OTR:AAEKAAAA."), P(2, &have), P(3, w.key), P(4, &w.pair), 1,
                                             P(5, succeeded), NULL));
    CALL(2, otrl_auth_copy_on_key(P(0, auth), P(1, &w.bob->auth)));
}

/* Callbacks may all be missing. */
static const OtrlMessageAppOps no_ops;

static void messages(void)
{
    static const char *const incoming[] = {"hello", "?OTRv23?", "?OTR Error: no", "?OTR:AAMDAAAAAAAAAAAAAA.", "?OTR,1,2,x,",
        "?OTR:AAMKAAASNAAAEjQAAAAB.", "hi" OTRL_MESSAGE_TAG_BASE OTRL_MESSAGE_TAG_V3};
    char *out = NULL;
    OtrlTLV *tlvs = NULL;
    ConnContext *context;
    size_t i;

    CALL(9, (out = NULL, otrl_message_sending(P(0, w.us), P(1, &no_ops), NULL, P(2, "me"), P(3, PROTOCOL), P(4, "bob"),
                                              OTRL_INSTAG_BEST, P(5, "text"), P(6, w.tlv), P(7, &out),
                                              OTRL_FRAGMENT_SEND_ALL, P(8, &context), NULL, NULL),
             otrl_message_free(out)));
    for (i = 0; i < sizeof incoming / sizeof *incoming; i++)
        CALL(9, (out = NULL, tlvs = NULL,
                 otrl_message_receiving(P(0, w.us), P(1, &no_ops), NULL, P(2, "me"), P(3, PROTOCOL), P(4, "bob"),
                                        P(5, incoming[i]), P(6, &out), P(7, &tlvs), P(8, &context), NULL, NULL),
                 otrl_message_free(out), otrl_tlv_free(tlvs)));
    CALL(5, otrl_message_disconnect(P(0, w.us), P(1, &no_ops), NULL, P(2, "me"), P(3, PROTOCOL), P(4, "bob"), 0x1234));
    CALL(5, otrl_message_disconnect_all_instances(P(0, w.us), P(1, &no_ops), NULL, P(2, "me"), P(3, PROTOCOL), P(4, "bob")));
    CALL(4, otrl_message_initiate_smp(P(0, w.us), P(1, &no_ops), NULL, P(2, w.bob), P(3, buffer), 5));
    CALL(5, otrl_message_initiate_smp_q(P(0, w.us), P(1, &no_ops), NULL, P(2, w.bob), P(3, "question"), P(4, buffer), 5));
    CALL(4, otrl_message_respond_smp(P(0, w.us), P(1, &no_ops), NULL, P(2, w.bob), P(3, buffer), 5));
    CALL(3, otrl_message_abort_smp(P(0, w.us), P(1, &no_ops), NULL, P(2, w.bob)));
    CALL(5, otrl_message_symkey(P(0, w.us), P(1, &no_ops), NULL, P(2, w.bob), 1, P(3, buffer), 5, P(4, buffer)));
    CALL(1, otrl_message_poll_get_default_interval(P(0, w.us)));
    CALL(2, otrl_message_poll(P(0, w.us), P(1, &no_ops), NULL));
}

int main(void)
{
    OtrlUserState users;
    FILE *keys;

    OTRL_INIT;
    keys = open_memstream(&keys_text, &keys_len);
    users = otrl_userstate_create();
    CHECK(!otrl_privkey_generate_FILEp(users, keys, "me", PROTOCOL));
    fclose(keys);
    otrl_userstate_free(users);

    values();
    contexts();
    files();
    numbers();
    handshakes();
    messages();
    printf("%d calls\n", calls);
    free(keys_text);
    return whole_conversation() != 0 || failures != 0;
}
