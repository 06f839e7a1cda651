/* Records a conversation of two parties, with the secrets of both sides.
 *
 * Built against an installed libotr 4.1.1 and its libgcrypt:
 *
 *   cc -o record record.c -lotr -lgcrypt
 *   ./record 3 > conversation-v3.txt
 *
 * The argument is the protocol version: 1, 2 or 3.  Each line of the output is
 * a name and a value; values are armoured messages, or hexadecimal.  Secrets
 * are read from the library's public structures. */
#include <libotr/proto.h>
#include <libotr/context_priv.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL "net"

struct party {
    const char *name, *peer;
    OtrlUserState us;
    char *outbox[64];
    int count;
    int asked;
};

static OtrlPolicy policies[] = {
    0, OTRL_POLICY_ALLOW_V1, OTRL_POLICY_ALLOW_V2, OTRL_POLICY_ALLOW_V3
};
static int version;

static OtrlPolicy policy(void *data, ConnContext *context)
{
    (void)data; (void)context;
    return policies[version];
}

static void inject(void *data, const char *account, const char *protocol,
        const char *recipient, const char *message)
{
    struct party *party = data;
    (void)account; (void)protocol; (void)recipient;
    party->outbox[party->count++] = strdup(message);
}

static void smp_event(void *data, OtrlSMPEvent event, ConnContext *context,
        unsigned short percent, char *question)
{
    struct party *party = data;
    (void)context; (void)percent; (void)question;
    if (event == OTRL_SMPEVENT_ASK_FOR_SECRET) party->asked = 1;
}

static OtrlMessageAppOps ops = {
    .policy = policy, .inject_message = inject, .handle_smp_event = smp_event,
};

/* ---- writing ------------------------------------------------------------ */

static void bytes(const char *owner, const char *name, const void *value, size_t len)
{
    const unsigned char *at = value;
    printf("%s.%s ", owner, name);
    while (len--) printf("%02x", *at++);
    printf("\n");
}

static void number(const char *owner, const char *name, gcry_mpi_t value)
{
    unsigned char *hex;
    if (!value) return;
    gcry_mpi_aprint(GCRYMPI_FMT_HEX, &hex, NULL, value);
    printf("%s.%s %s\n", owner, name, (char *)hex);
    gcry_free(hex);
}

/* ---- parties ------------------------------------------------------------ */

static void make(struct party *party, const char *name, const char *peer)
{
    static const char *const parts[] = { "p", "q", "g", "y", "x" };
    FILE *keys = tmpfile();
    FILE *tags = tmpfile();
    memset(party, 0, sizeof *party);
    party->name = name;
    party->peer = peer;
    party->us = otrl_userstate_create();
    otrl_privkey_generate_FILEp(party->us, keys, name, PROTOCOL);
    otrl_instag_generate_FILEp(party->us, tags, name, PROTOCOL);
    OtrlPrivKey *key = otrl_privkey_find(party->us, name, PROTOCOL);
    for (int i = 0; i < 5; i++) {
        gcry_sexp_t part = gcry_sexp_find_token(key->privkey, parts[i], 0);
        gcry_mpi_t value = gcry_sexp_nth_mpi(part, 1, GCRYMPI_FMT_USG);
        char label[16];
        snprintf(label, sizeof label, "dsa.%s", parts[i]);
        number(name, label, value);
    }
    printf("%s.instance %08x\n", name,
            otrl_instag_find(party->us, name, PROTOCOL)->instag);
    fclose(keys);
    fclose(tags);
}

/* The context in use: the handshake's master before there is an instance. */
static ConnContext *context(struct party *party, int master)
{
    return otrl_context_find(party->us, party->peer, party->name, PROTOCOL,
            master ? OTRL_INSTAG_MASTER : OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

/* A waiting message of the sender, shown and delivered. */
static void deliver(struct party *from, struct party *to, const char *kind)
{
    char *text = NULL;
    OtrlTLV *tlvs = NULL;
    if (!from->count) {
        fprintf(stderr, "no %s\n", kind);
        exit(1);
    }
    char *message = from->outbox[0];
    memmove(from->outbox, from->outbox + 1, --from->count * sizeof *from->outbox);
    printf("%s.%s %s\n", from->name, kind, message);
    otrl_message_receiving(to->us, &ops, to, to->name, PROTOCOL, to->peer,
            message, &text, &tlvs, NULL, NULL, NULL);
    if (text) bytes(to->name, "reads", text, strlen(text));
    otrl_message_free(text);
    otrl_tlv_free(tlvs);
    free(message);
}

static void newest_key(struct party *party)
{
    char label[32];
    ConnContextPriv *keys = context(party, 0)->context_priv;
    snprintf(label, sizeof label, "dh.%u", keys->our_keyid);
    number(party->name, label, keys->our_dh_key.priv);
}

static void say(struct party *from, struct party *to, const char *text)
{
    char *message = NULL;
    DH_sesskeys *keys = &context(from, 0)->context_priv->sesskeys[1][0];
    bytes(from->name, "sendmac", keys->sendmackey, 20);
    bytes(from->name, "extra", keys->extrakey, 32);
    otrl_message_sending(from->us, &ops, from, from->name, PROTOCOL, from->peer,
            OTRL_INSTAG_BEST, text, NULL, &message, OTRL_FRAGMENT_SEND_ALL,
            NULL, NULL, NULL);
    otrl_message_free(message);
    deliver(from, to, "data");
    newest_key(to);
}

static void smp_state(struct party *party, const char *step)
{
    OtrlSMState *state = context(party, 0)->smstate;
    gcry_mpi_t values[] = { state->secret, state->x2, state->x3, state->g2,
        state->g3, state->g3o, state->p, state->q, state->pab, state->qab };
    static const char *const names[] = { "secret", "x2", "x3", "g2", "g3",
        "g3o", "p", "q", "pab", "qab" };
    for (int i = 0; i < 10; i++) {
        char label[32];
        snprintf(label, sizeof label, "%s.%s", step, names[i]);
        number(party->name, label, values[i]);
    }
}

/* ---- the conversation --------------------------------------------------- */

int main(int argc, char **argv)
{
    static struct party alice, bob;
    OTRL_INIT;
    if (argc != 2 || (version = atoi(argv[1])) < 1 || version > 3) {
        fprintf(stderr, "usage: %s 1|2|3\n", argv[0]);
        return 1;
    }
    printf("# Recorded by record.c with libotr %s, protocol version %d.\n",
            otrl_version(), version);
    make(&alice, "alice", "bob");
    make(&bob, "bob", "alice");

    /* Bob starts, for Alice asks him to. */
    inject(&alice, NULL, NULL, NULL, version == 1 ? "?OTR?" : version == 2 ? "?OTRv2?" : "?OTRv3?");
    deliver(&alice, &bob, "query");
    number("bob", "dh.1", context(&bob, 1)->auth.our_dh.priv);
    if (version == 1) {
        deliver(&bob, &alice, "exchange");
        number("alice", "dh.1", context(&alice, 1)->context_priv->our_old_dh_key.priv);
        deliver(&alice, &bob, "exchange");
    } else {
        bytes("bob", "r", context(&bob, 1)->auth.r, 16);
        deliver(&bob, &alice, "commit");
        ConnContext *answering = context(&alice, 1);
        while (!answering->auth.our_dh.priv) answering = answering->next;
        number("alice", "dh.1", answering->auth.our_dh.priv);
        deliver(&alice, &bob, "key");
        deliver(&bob, &alice, "reveal");
        deliver(&alice, &bob, "signature");
    }
    ConnContext *session = context(&bob, 0);
    bytes("bob", "sessionid", session->sessionid, session->sessionid_len);
    printf("bob.half %d\n", session->sessionid_half);
    newest_key(&alice);
    newest_key(&bob);

    say(&bob, &alice, "hello");
    say(&bob, &alice, "are you there?");
    say(&alice, &bob, "yes");
    say(&bob, &alice, "good");
    say(&alice, &bob, "and you?");
    say(&alice, &bob, "still there?");
    say(&bob, &alice, "sure");

    /* A run with equal secrets. */
    const unsigned char *secret = (const unsigned char *)"open sesame";
    otrl_message_initiate_smp(bob.us, &ops, &bob, context(&bob, 0), secret, 11);
    smp_state(&bob, "smp1");
    deliver(&bob, &alice, "data");
    newest_key(&alice);
    if (!alice.asked) return 1;
    otrl_message_respond_smp(alice.us, &ops, &alice, context(&alice, 0), secret, 11);
    smp_state(&alice, "smp2");
    deliver(&alice, &bob, "data");
    newest_key(&bob);
    smp_state(&bob, "smp3");
    deliver(&bob, &alice, "data");
    newest_key(&alice);
    deliver(&alice, &bob, "data");
    newest_key(&bob);
    printf("bob.progress %d\n", context(&bob, 0)->smstate->sm_prog_state);
    return 0;
}
