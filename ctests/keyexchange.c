//@ options: -lgcrypt
/* The key exchange step by step, on contexts of the program's own: versions 2, 3 and 1, repeated and misplaced
 * messages, a success function that refuses, the copy from the master, and then data messages with the keys that came
 * out, in and out of pieces.
 */
#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static OtrlUserState users;
static char keyfile[] = "/tmp/libotr-keyexchange.XXXXXX";

static int any(const unsigned char *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0) len--;
    return len > 0;
}

static const char *size(gcry_mpi_t number)
{
    return number == NULL ? "NULL" : gcry_mpi_get_nbits(number) > 1400 ? "key" : "exponent";
}

static void show(const char *when, const OtrlAuthInfo *auth)
{
    printf("%s: state %d, our %u/%s/%s number %u, encrypted %d r %d hash %d, their %s number %u, keys %d%d%d%d%d%d, ", when,
        auth->authstate, auth->our_dh.groupid, size(auth->our_dh.priv), size(auth->our_dh.pub), auth->our_keyid,
        auth->encgx != NULL, any(auth->r, 16), any(auth->hashgx, 32), size(auth->their_pub), auth->their_keyid,
        auth->enc_c != NULL, auth->enc_cp != NULL, auth->mac_m1 != NULL, auth->mac_m1p != NULL, auth->mac_m2 != NULL,
        auth->mac_m2p != NULL);
    printf("fingerprint %d, initiated %d, version %u, session id %d of %u, ", any(auth->their_fingerprint, 20),
        auth->initiated, auth->protocol_version, any(auth->secure_session_id, 20), (unsigned)auth->secure_session_id_len);
    /* In version 1 the half depends on the keys. */
    printf("half %d, message %.9s, context version %u\n", auth->protocol_version == 1 ? -1 : (int)auth->session_id_half,
        auth->lastauthmsg ? auth->lastauthmsg : "NULL", auth->context->protocol_version);
}

static gcry_error_t accept_peer(const OtrlAuthInfo *auth, void *data)
{
    show((const char *)data, auth);
    return 0;
}

static gcry_error_t refuse_peer(const OtrlAuthInfo *auth, void *data)
{
    (void)auth;
    (void)data;
    return gcry_error(GPG_ERR_CONFLICT);
}

/* A context that the library knows nothing of. What is not set here is not looked at. */
static void begin(struct context *context, otrl_instag_t ours, otrl_instag_t theirs)
{
    memset(context, 0xa5, sizeof *context);
    context->m_context = context;
    context->context_priv = otrl_context_priv_new();
    context->smstate = malloc(sizeof *context->smstate);
    otrl_sm_state_new(context->smstate);
    context->our_instance = ours;
    context->their_instance = theirs;
    context->protocol_version = 0;
    context->msgstate = OTRL_MSGSTATE_PLAINTEXT;
    otrl_auth_new(context);
}

static void end(struct context *context)
{
    otrl_context_force_plaintext(context);
    free(context->context_priv);
    free(context->smstate);
}

static char *copy(const char *text)
{
    return strcpy(malloc(strlen(text) + 1), text);
}

/* What a program does with the outcome of an exchange: the first keys of a session. */
static void go_private(struct context *context)
{
    ConnContextPriv *private = context->context_priv;

    private->their_keyid = context->auth.their_keyid;
    private->their_y = gcry_mpi_copy(context->auth.their_pub);
    private->our_keyid = 2;
    otrl_dh_keypair_copy(&private->our_old_dh_key, &context->auth.our_dh);
    otrl_dh_gen_keypair(DH1536_GROUP_ID, &private->our_dh_key);
    otrl_dh_session(&private->sesskeys[0][0], &private->our_dh_key, private->their_y);
    otrl_dh_session(&private->sesskeys[1][0], &private->our_old_dh_key, private->their_y);
    context->protocol_version = context->auth.protocol_version;
    context->msgstate = OTRL_MSGSTATE_ENCRYPTED;
}

static void show_private(const char *who, const struct context *context)
{
    const ConnContextPriv *private = context->context_priv;

    printf("%s: keys %u and %u, their keys %d %d, saved %u, last text %d, resend %d\n", who, private->our_keyid,
        private->their_keyid, private->their_y != NULL, private->their_old_y != NULL, private->numsavedkeys,
        private->lastmessage != NULL, private->may_retransmit);
}

static void talk(struct context *alice, struct context *bob)
{
    struct context *side[2];
    int round;

    side[0] = alice;
    side[1] = bob;
    for (round = 0; round < 5; round++) {
        struct context *from = side[round % 2], *to = side[(round + 1) % 2];
        const unsigned char value[] = "value";
        OtrlTLV *record = otrl_tlv_new(OTRL_TLV_SYMKEY, 5, value), *records = NULL;
        char *message = NULL, *text = NULL;
        unsigned char flags = 9, sent[OTRL_EXTRAKEY_BYTES], received[OTRL_EXTRAKEY_BYTES];
        gcry_error_t error;

        error = otrl_proto_create_data(&message, from, round == 2 ? "" : "a text", record, (unsigned char)round, sent);
        printf("created %08x %.9s\n", error, message);
        error = otrl_proto_accept_data(&text, &records, to, message, &flags, received);
        printf("accepted %08x '%s' record %d of %d bytes, flags %d, same extra key %d\n", error, text, records->type,
            records->len, flags, memcmp(sent, received, sizeof sent) == 0);
        show_private("sender", from);
        show_private("receiver", to);
        free(text);
        text = NULL;
        otrl_tlv_free(records);
        records = NULL;
        error = otrl_proto_accept_data(&text, &records, to, message, &flags, received);
        printf("again %08x %d\n", error, text == NULL);
        free(message);
        otrl_tlv_free(record);
    }
}

static void in_pieces(struct context *from, struct context *to)
{
    char text[300], **pieces = NULL, *whole = NULL;
    int header = from->auth.protocol_version == 3 ? 37 : 19, limit = 60, count, i;
    gcry_error_t error;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    count = ((int)sizeof text - 2) / (limit - header) + 1;
    error = otrl_proto_fragment_create(limit, count, &pieces, from, text);
    printf("%d pieces %08x, first %s\n", count, error, pieces[0]);
    for (i = 0; i < count; i++) {
        const ConnContextPriv *private = to->context_priv;
        OtrlFragmentResult result = otrl_proto_fragment_accumulate(&whole, to, pieces[i]);

        printf("%d: %u of %u, %u bytes%s", result, private->fragment_k, private->fragment_n,
            (unsigned)private->fragment_len, i == count - 1 ? "\n" : "; ");
    }
    printf("whole %d\n", whole != NULL && strcmp(whole, text) == 0);
    free(whole);
    printf("out of order %d", otrl_proto_fragment_accumulate(&whole, to, pieces[0]));
    printf(" %d", otrl_proto_fragment_accumulate(&whole, to, pieces[2]));
    printf(" %d\n", otrl_proto_fragment_accumulate(&whole, to, "no piece"));
    otrl_proto_fragment_free(&pieces, (unsigned short)count);
}

/* A count that the message does not need is obeyed: the end is left off, or empty pieces follow. */
static void in_other_counts(struct context *from)
{
    static const int counts[] = {-1, 0, 1, 2, 3, 4, 5, 65535, 65536, 65538};
    const int limit = (from->auth.protocol_version == 3 ? 37 : 19) + 3;
    size_t i;
    int number;

    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        char **pieces = NULL;
        gcry_error_t error = otrl_proto_fragment_create(limit, counts[i], &pieces, from, "abcdefgh");

        printf("into %d: %08x", counts[i], error);
        for (number = 0; pieces != NULL && number < counts[i] && number < 5; number++) printf(" %s", pieces[number]);
        if (pieces != NULL) printf(" %s", pieces[counts[i] - 1]);
        putchar('\n');
        if (pieces != NULL) otrl_proto_fragment_free(&pieces, (unsigned short)counts[i]);
    }
}

static void exchange(int version)
{
    OtrlPrivKey *alice_key = otrl_privkey_find(users, "alice", "p"), *bob_key = otrl_privkey_find(users, "bob", "p");
    struct context alice, bob, child;
    char *key, *reveal, *signature, *first;
    int have = 9;
    gcry_error_t error;

    printf("-- version %d\n", version);
    begin(&alice, 0x111, 0x222);
    begin(&bob, 0x222, 0x111);
    show("new", &alice.auth);
    error = otrl_auth_start_v23(&alice.auth, version);
    printf("start %08x\n", error);
    show("alice", &alice.auth);
    error = otrl_auth_handle_commit(&bob.auth, alice.auth.lastauthmsg, version);
    printf("commit %08x\n", error);
    show("bob", &bob.auth);
    key = copy(bob.auth.lastauthmsg);
    error = otrl_auth_handle_key(&alice.auth, key, &have, alice_key);
    printf("key %08x %d\n", error, have);
    show("alice", &alice.auth);
    reveal = copy(alice.auth.lastauthmsg);
    error = otrl_auth_handle_key(&alice.auth, key, &have, alice_key);
    printf("key again %08x %d, the same answer %d\n", error, have, strcmp(reveal, alice.auth.lastauthmsg) == 0);
    error = otrl_auth_handle_signature(&alice.auth, reveal, &have, accept_peer, NULL);
    printf("a message of another kind %08x %d\n", error, have);
    error = otrl_auth_handle_revealsig(&alice.auth, reveal, &have, alice_key, accept_peer, NULL);
    printf("a message that is not expected %08x %d\n", error, have);
    error = otrl_auth_handle_revealsig(&bob.auth, reveal, &have, bob_key, accept_peer, (void *)"bob succeeds");
    printf("reveal signature %08x %d\n", error, have);
    show("bob", &bob.auth);
    signature = copy(bob.auth.lastauthmsg);
    error = otrl_auth_handle_signature(&alice.auth, signature, &have, accept_peer, (void *)"alice succeeds");
    printf("signature %08x %d\n", error, have);
    show("alice", &alice.auth);
    error = otrl_auth_handle_signature(&alice.auth, signature, &have, accept_peer, NULL);
    printf("signature again %08x %d\n", error, have);
    error = otrl_auth_handle_revealsig(&bob.auth, reveal, &have, bob_key, accept_peer, NULL);
    printf("reveal signature again %08x %d\n", error, have);
    printf("same session id %d\n", memcmp(alice.auth.secure_session_id, bob.auth.secure_session_id, 8) == 0);

    go_private(&alice);
    go_private(&bob);
    talk(&alice, &bob);
    in_pieces(&alice, &bob);
    in_other_counts(&alice);
    otrl_context_force_finished(&alice);
    show_private("finished", &alice);
    free(key);
    free(reveal);
    free(signature);

    otrl_auth_start_v23(&alice.auth, version);
    otrl_auth_handle_commit(&bob.auth, alice.auth.lastauthmsg, version);
    first = copy(bob.auth.lastauthmsg);
    otrl_auth_start_v23(&alice.auth, version);
    otrl_auth_handle_commit(&bob.auth, alice.auth.lastauthmsg, version);
    printf("the same key for another commit %d\n", strcmp(first, bob.auth.lastauthmsg) == 0);
    printf("nonsense %08x %08x %08x\n", otrl_auth_handle_commit(&bob.auth, "?OTR:AAMC.", version),
        otrl_auth_handle_commit(&bob.auth, "nothing", version),
        otrl_auth_handle_key(&bob.auth, "nothing", &have, bob_key));
    otrl_auth_handle_key(&alice.auth, bob.auth.lastauthmsg, &have, alice_key);
    error = otrl_auth_handle_revealsig(&bob.auth, alice.auth.lastauthmsg, &have, bob_key, refuse_peer, NULL);
    printf("refused %08x %d\n", error, have);
    show("bob", &bob.auth);
    error = otrl_auth_handle_signature(&alice.auth, bob.auth.lastauthmsg, &have, refuse_peer, NULL);
    printf("refused %08x %d\n", error, have);
    show("alice", &alice.auth);
    free(first);

    begin(&child, 0x111, 0x222);
    otrl_auth_start_v23(&alice.auth, version);
    otrl_auth_copy_on_key(&alice.auth, &child.auth);
    show("child", &child.auth);
    printf("same exponent %d, own copies %d %d\n", gcry_mpi_cmp(alice.auth.our_dh.priv, child.auth.our_dh.priv) == 0,
        alice.auth.our_dh.priv != child.auth.our_dh.priv, alice.auth.encgx != child.auth.encgx);
    otrl_auth_clear(&child.auth);
    show("cleared", &child.auth);
    end(&child);
    end(&alice);
    end(&bob);
}

static void version_1(void)
{
    OtrlPrivKey *alice_key = otrl_privkey_find(users, "alice", "p"), *bob_key = otrl_privkey_find(users, "bob", "p");
    struct context alice, bob;
    DH_keypair pair;
    int have = 9;
    gcry_error_t error;

    printf("-- version 1\n");
    begin(&alice, 0, 0);
    begin(&bob, 0, 0);
    error = otrl_auth_start_v1(&alice.auth, NULL, 0, alice_key);
    printf("start %08x\n", error);
    show("alice", &alice.auth);
    error = otrl_auth_handle_v1_key_exchange(
        &bob.auth, alice.auth.lastauthmsg, &have, bob_key, NULL, 0, accept_peer, (void *)"bob succeeds");
    printf("first %08x %d\n", error, have);
    show("bob", &bob.auth);
    error = otrl_auth_handle_v1_key_exchange(
        &alice.auth, bob.auth.lastauthmsg, &have, alice_key, NULL, 0, accept_peer, (void *)"alice succeeds");
    printf("reply %08x %d\n", error, have);
    show("alice", &alice.auth);
    error = otrl_auth_handle_v1_key_exchange(
        &alice.auth, bob.auth.lastauthmsg, &have, alice_key, NULL, 0, accept_peer, NULL);
    printf("reply again %08x %d\n", error, have);
    printf("same session id %d, different halves %d\n",
        memcmp(alice.auth.secure_session_id, bob.auth.secure_session_id, 20) == 0,
        alice.auth.session_id_half != bob.auth.session_id_half);
    otrl_dh_gen_keypair(DH1536_GROUP_ID, &pair);
    error = otrl_auth_start_v1(&alice.auth, &pair, 7, alice_key);
    printf("start with a key %08x, number %u, same %d, own copy %d\n", error, alice.auth.our_keyid,
        gcry_mpi_cmp(alice.auth.our_dh.pub, pair.pub) == 0, alice.auth.our_dh.pub != pair.pub);
    otrl_dh_keypair_free(&pair);
    end(&alice);
    end(&bob);
}

int main(void)
{
    OTRL_INIT;
    close(mkstemp(keyfile));
    users = otrl_userstate_create();
    if (otrl_privkey_generate(users, keyfile, "alice", "p") || otrl_privkey_generate(users, keyfile, "bob", "p")) return 3;
    exchange(2);
    exchange(3);
    version_1();
    otrl_userstate_free(users);
    unlink(keyfile);
    return 0;
}
