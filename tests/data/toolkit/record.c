/* Records a conversation between two users of libotr as it goes over the network: everything that one version of the
 * protocol has.  record VERSION > conversation-vVERSION.txt
 *
 * A line is one text on its way. In front of each data message stand, as a comment, the sender's private and the
 * receiver's public D-H key that it is encrypted with.
 *
 *     cc -o record record.c -lotr -lgcrypt
 */
#include <libotr/proto.h>
#include <libotr/userstate.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/instag.h>
#include <libotr/context_priv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL "prpl-test"

typedef struct party {
    const char *name;
    struct party *peer;
    OtrlUserState users;
    int limit;
    char file[64];
} Party;

static Party alice = {.name = "alice"}, bob = {.name = "bob"};
static OtrlPolicy policy_bits;

static struct {
    Party *to;
    char *text;
} queue[256];
static int first, last, damaged;

static void show_number(const char *label, gcry_mpi_t number)
{
    unsigned char *bytes = NULL;
    size_t length = 0, i;

    gcry_mpi_aprint(GCRYMPI_FMT_USG, &bytes, &length, number);
    printf("%s", label);
    for (i = 0; i < length; i++)
        printf("%02x", bytes[i]);
    gcry_free(bytes);
}

static void post(Party *from, const char *text)
{
    ConnContext *context = otrl_context_find(from->users, from->peer->name, from->name, PROTOCOL, OTRL_INSTAG_BEST, 0,
                                             NULL, NULL, NULL);

    if (otrl_proto_message_type(text) == OTRL_MSGTYPE_DATA && context) {
        show_number("# keys: ", context->context_priv->our_old_dh_key.priv);
        show_number(" ", context->context_priv->their_y);
        printf("\n");
    }
    printf("%s: %s\n", from->name, text);
    queue[last].to = from->peer;
    queue[last].text = strdup(text);
    if (damaged)
        queue[last].text[strlen(text) - 10] ^= 1;
    damaged = 0;
    last++;
}

static OtrlPolicy policy(void *data, ConnContext *context)
{
    (void)data, (void)context;
    return policy_bits;
}

static void inject_message(void *data, const char *account, const char *protocol, const char *to, const char *text)
{
    (void)account, (void)protocol, (void)to;
    post(data, text);
}

static void create_privkey(void *data, const char *account, const char *protocol)
{
    otrl_privkey_generate(((Party *)data)->users, ((Party *)data)->file, account, protocol);
}

static void create_instag(void *data, const char *account, const char *protocol)
{
    otrl_instag_generate(((Party *)data)->users, ((Party *)data)->file, account, protocol);
}

static int max_message_size(void *data, ConnContext *context)
{
    (void)context;
    return ((Party *)data)->limit;
}

static const char *error_message(void *data, ConnContext *context, OtrlErrorCode code)
{
    char words[40];

    (void)data, (void)context;
    snprintf(words, sizeof words, "error number %d", (int)code);
    return strdup(words);
}

static void free_words(void *data, const char *words)
{
    (void)data;
    free((char *)words);
}

static void smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
    (void)data, (void)event, (void)context, (void)percent, (void)question;
}

static const OtrlMessageAppOps ops = {
    .policy = policy,
    .create_privkey = create_privkey,
    .inject_message = inject_message,
    .max_message_size = max_message_size,
    .otr_error_message = error_message,
    .otr_error_message_free = free_words,
    .handle_smp_event = smp_event,
    .create_instag = create_instag,
};

static void deliver(void)
{
    while (first < last) {
        Party *to = queue[first].to;
        char *text = queue[first++].text, *shown = NULL;
        OtrlTLV *tlvs = NULL;

        otrl_message_receiving(to->users, &ops, to, to->name, PROTOCOL, to->peer->name, text, &shown, &tlvs, NULL, NULL, NULL);
        otrl_tlv_free(tlvs);
        otrl_message_free(shown);
        free(text);
    }
}

static ConnContext *conversation(Party *party)
{
    return otrl_context_find(party->users, party->peer->name, party->name, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

static void say(Party *from, const char *text)
{
    char *out = NULL;

    otrl_message_sending(from->users, &ops, from, from->name, PROTOCOL, from->peer->name, OTRL_INSTAG_BEST, text, NULL,
                         &out, OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL);
    if (!out)
        post(from, text);
    otrl_message_free(out);
    deliver();
}

static void start(Party *party, Party *peer, const char *folder)
{
    party->peer = peer;
    party->users = otrl_userstate_create();
    snprintf(party->file, sizeof party->file, "%s/%s", folder, party->name);
    create_privkey(party, party->name, PROTOCOL);
}

int main(int argc, char **argv)
{
    static char folder[] = "/tmp/record.XXXXXX";
    static unsigned char key[OTRL_EXTRAKEY_BYTES];
    int version = argc == 2 ? atoi(argv[1]) : 0, i;
    char *query;

    if (version < 1 || version > 3 || !mkdtemp(folder))
        return 1;
    OTRL_INIT;
    policy_bits = 1u << (version - 1);
    start(&alice, &bob, folder);
    start(&bob, &alice, folder);

    policy_bits |= OTRL_POLICY_SEND_WHITESPACE_TAG;
    say(&alice, "Hello, is this line private?");
    query = otrl_proto_default_query_msg(alice.name, policy_bits);
    post(&alice, query);
    free(query);
    deliver();
    for (i = 0; i < 3; i++) {
        say(&alice, "Shall we meet at the usual place? I will bring the letters.");
        say(&bob, "No. Meet me at nine.");
    }
    alice.limit = 300;
    say(&alice, "This one is longer than the network allows and is therefore sent in pieces, one after the other, "
                "which the other side puts together before it looks at what they are a message of.");
    alice.limit = 0;
    otrl_message_initiate_smp_q(alice.users, &ops, &alice, conversation(&alice), "Which bird?", (const unsigned char *)"heron", 5);
    deliver();
    otrl_message_respond_smp(bob.users, &ops, &bob, conversation(&bob), (const unsigned char *)"heron", 5);
    deliver();
    otrl_message_symkey(alice.users, &ops, &alice, conversation(&alice), 7, (const unsigned char *)"file", 4, key);
    deliver();
    otrl_message_disconnect(bob.users, &ops, &bob, bob.name, PROTOCOL, alice.name, conversation(&bob)->their_instance);
    otrl_context_force_plaintext(conversation(&alice));
    deliver();
    otrl_context_force_plaintext(conversation(&bob));
    query = otrl_proto_default_query_msg(bob.name, policy_bits);
    post(&bob, query);
    free(query);
    deliver();
    say(&bob, "Once more, under new keys.");
    damaged = 1;
    say(&bob, "This one is damaged on its way.");

    otrl_userstate_free(alice.users);
    otrl_userstate_free(bob.users);
    unlink(alice.file);
    unlink(bob.file);
    rmdir(folder);
    return 0;
}
