/* One full conversation in one process, from making keys to freeing everything: versions 3 and 2, key exchange, texts,
 * fragments, SMP (wrong, right, with a question, aborted), the extra symmetric key, the end, files read back.
 *
 * Every callback is logged with its arguments; what is random is left out or only compared. The output is the same
 * with every libotr 4.1.1, and the program is clean under valgrind.
 */
#include <libotr/proto.h>
#include <libotr/userstate.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/instag.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL "test"
#define QUEUE 256

typedef struct {
    const char *name, *peer;
    OtrlUserState users;
    OtrlPolicy policy;
    int message_size; /* 0: no limit */
    unsigned char symkey[OTRL_EXTRAKEY_BYTES];
    int applications; /* contexts that carry application data */
} Party;

static Party alice = {.name = "alice", .peer = "bob"}, bob = {.name = "bob", .peer = "alice"};
static char folder[] = "/tmp/libotr-conversation.XXXXXX";
static int failures;

#define CHECK(what) check((what), #what)

static void check(int holds, const char *what)
{
    if (!holds) {
        printf("FAILED: %s\n", what);
        failures++;
    }
}

static const char *path(const Party *party, const char *name)
{
    static char buffer[256];

    snprintf(buffer, sizeof buffer, "%s/%s.%s", folder, party->name, name);
    return buffer;
}

static ConnContext *conversation(Party *party)
{
    return otrl_context_find(party->users, party->peer, party->name, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

/* ---- the network: messages wait until they are delivered --------------------------------------------------------- */

static struct {
    Party *to;
    char *text;
} queue[QUEUE];
static int first, last;

static void post(Party *from, const char *text)
{
    if (last == QUEUE) {
        printf("FAILED: messages without end\n");
        exit(1);
    }
    queue[last].to = from == &alice ? &bob : &alice;
    queue[last++].text = strdup(text);
}

/* ---- callbacks ----------------------------------------------------------------------------------------------------- */

static OtrlPolicy policy(void *data, ConnContext *context)
{
    (void)context;
    return ((Party *)data)->policy;
}

static void create_privkey(void *data, const char *account, const char *protocol)
{
    Party *party = data;

    printf("  %s: create_privkey %s %s\n", party->name, account, protocol);
    CHECK(!otrl_privkey_generate(party->users, path(party, "key"), account, protocol));
}

static int is_logged_in(void *data, const char *account, const char *protocol, const char *recipient)
{
    printf("  %s: is_logged_in %s %s %s\n", ((Party *)data)->name, account, protocol, recipient);
    return 1;
}

static void inject_message(void *data, const char *account, const char *protocol, const char *recipient, const char *message)
{
    Party *party = data;

    printf("  %s: inject_message %s %s %s %.5s\n", party->name, account, protocol, recipient, message);
    post(party, message);
}

static void update_context_list(void *data)
{
    printf("  %s: update_context_list\n", ((Party *)data)->name);
}

static void new_fingerprint(void *data, OtrlUserState users, const char *account, const char *protocol, const char *user,
                            unsigned char fingerprint[20])
{
    Party *party = data;
    unsigned char known[20];
    Party *other = party == &alice ? &bob : &alice;

    CHECK(users == party->users);
    CHECK(otrl_privkey_fingerprint_raw(other->users, known, other->name, PROTOCOL) && !memcmp(known, fingerprint, 20));
    printf("  %s: new_fingerprint %s %s %s\n", party->name, account, protocol, user);
}

static void write_fingerprints(void *data)
{
    Party *party = data;

    printf("  %s: write_fingerprints\n", party->name);
    CHECK(!otrl_privkey_write_fingerprints(party->users, path(party, "fingerprints")));
}

static void show(const char *what, Party *party, ConnContext *context)
{
    Fingerprint *print = context->active_fingerprint;

    printf("  %s: %s state %d version %u session-id %zu half %d trust '%s'\n", party->name, what, (int)context->msgstate,
           context->protocol_version, context->sessionid_len, (int)context->sessionid_half,
           print && print->trust ? print->trust : "");
}

static void gone_secure(void *data, ConnContext *context)
{
    show("gone_secure", data, context);
}

static void gone_insecure(void *data, ConnContext *context)
{
    show("gone_insecure", data, context);
}

static void still_secure(void *data, ConnContext *context, int is_reply)
{
    show(is_reply ? "still_secure (reply)" : "still_secure", data, context);
}

static int max_message_size(void *data, ConnContext *context)
{
    (void)context;
    return ((Party *)data)->message_size;
}

static void received_symkey(void *data, ConnContext *context, unsigned int use, const unsigned char *use_data,
                            size_t use_length, const unsigned char *key)
{
    Party *party = data;

    (void)context;
    printf("  %s: received_symkey %u %zu %.*s\n", party->name, use, use_length, (int)use_length, (const char *)use_data);
    memcpy(party->symkey, key, sizeof party->symkey);
}

static const char *error_message(void *data, ConnContext *context, OtrlErrorCode code)
{
    char text[32];

    (void)context;
    printf("  %s: otr_error_message %d\n", ((Party *)data)->name, (int)code);
    snprintf(text, sizeof text, "error number %d", (int)code);
    return strdup(text);
}

static void free_text(void *data, const char *text)
{
    (void)data;
    free((char *)text);
}

static const char *resent_prefix(void *data, ConnContext *context)
{
    (void)data, (void)context;
    return strdup("[again]");
}

static const OtrlMessageAppOps ops;

static void smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
    Party *party = data;

    printf("  %s: smp event %d at %u%% question '%s'\n", party->name, (int)event, (unsigned)percent, question ? question : "");
    if (event == OTRL_SMPEVENT_CHEATED || event == OTRL_SMPEVENT_ERROR)
        otrl_message_abort_smp(party->users, &ops, party, context);
}

static void msg_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t error)
{
    (void)context;
    printf("  %s: msg event %d error %u message '%s'\n", ((Party *)data)->name, (int)event, error, message ? message : "");
}

static void create_instag(void *data, const char *account, const char *protocol)
{
    Party *party = data;

    printf("  %s: create_instag %s %s\n", party->name, account, protocol);
    CHECK(!otrl_instag_generate(party->users, path(party, "instag"), account, protocol));
}

static void timer_control(void *data, unsigned int interval)
{
    printf("  %s: timer_control %u\n", ((Party *)data)->name, interval);
}

static const OtrlMessageAppOps ops = {
    .policy = policy,
    .create_privkey = create_privkey,
    .is_logged_in = is_logged_in,
    .inject_message = inject_message,
    .update_context_list = update_context_list,
    .new_fingerprint = new_fingerprint,
    .write_fingerprints = write_fingerprints,
    .gone_secure = gone_secure,
    .gone_insecure = gone_insecure,
    .still_secure = still_secure,
    .max_message_size = max_message_size,
    .received_symkey = received_symkey,
    .otr_error_message = error_message,
    .otr_error_message_free = free_text,
    .resent_msg_prefix = resent_prefix,
    .resent_msg_prefix_free = free_text,
    .handle_smp_event = smp_event,
    .handle_msg_event = msg_event,
    .create_instag = create_instag,
    .timer_control = timer_control,
};

/* ---- what the two do ------------------------------------------------------------------------------------------------ */

static void free_application_data(void *data)
{
    ((Party *)data)->applications--;
}

static void add_application_data(void *data, ConnContext *context)
{
    Party *party = data;

    party->applications++;
    context->app_data = party;
    context->app_data_free = free_application_data;
}

static void deliver(void)
{
    while (first < last) {
        Party *to = queue[first].to;
        char *text = queue[first++].text, *shown = NULL;
        OtrlTLV *tlvs = NULL, *tlv;
        int internal = otrl_message_receiving(to->users, &ops, to, to->name, PROTOCOL, to->peer, text, &shown, &tlvs,
                                              NULL, add_application_data, to);

        if (!internal)
            printf("  %s sees: %s\n", to->name, shown ? shown : text);
        for (tlv = tlvs; tlv; tlv = tlv->next)
            printf("  %s: TLV of type %u\n", to->name, (unsigned)tlv->type);
        otrl_tlv_free(tlvs);
        otrl_message_free(shown);
        free(text);
    }
    first = last = 0;
}

static void say(Party *from, const char *text)
{
    char *out = NULL;
    ConnContext *context = conversation(from);
    int over = context && context->msgstate == OTRL_MSGSTATE_FINISHED;
    gcry_error_t error;

    printf("%s says: %.40s\n", from->name, text);
    error = otrl_message_sending(from->users, &ops, from, from->name, PROTOCOL, from->peer, OTRL_INSTAG_BEST, text, NULL,
                                 &out, over ? OTRL_FRAGMENT_SEND_SKIP : OTRL_FRAGMENT_SEND_ALL, &context,
                                 add_application_data, from);
    CHECK(!error && context);
    if (!out)
        post(from, text);
    else if (over)
        printf("  %s: to be sent instead: '%s'\n", from->name, out);
    otrl_message_free(out);
    deliver();
}

static void talk(OtrlPolicy versions)
{
    static char lengthy[3000];
    unsigned char key[OTRL_EXTRAKEY_BYTES];
    ConnContext *context;
    char *query;
    int i;

    printf("== policy %x ==\n", (unsigned)versions);
    alice.policy = bob.policy = versions;
    say(&alice, "before");

    query = otrl_proto_default_query_msg(alice.name, versions);
    CHECK(query && otrl_proto_message_type(query) == OTRL_MSGTYPE_QUERY);
    printf("query %.9s\n", query);
    post(&alice, query);
    free(query);
    deliver();

    for (i = 0; i < 5; i++) {
        say(&alice, "a text of Alice's");
        say(&bob, "a text of Bob's");
    }
    say(&bob, "");

    memset(lengthy, 'x', sizeof lengthy - 1);
    alice.message_size = 400;
    say(&alice, lengthy);
    alice.message_size = 0;

    printf("SMP, different secrets\n");
    otrl_message_initiate_smp(alice.users, &ops, &alice, conversation(&alice), (const unsigned char *)"one", 3);
    deliver();
    otrl_message_respond_smp(bob.users, &ops, &bob, conversation(&bob), (const unsigned char *)"two", 3);
    deliver();
    printf("SMP, the same secret, begun by the other side\n");
    otrl_message_initiate_smp(bob.users, &ops, &bob, conversation(&bob), (const unsigned char *)"one", 3);
    deliver();
    otrl_message_respond_smp(alice.users, &ops, &alice, conversation(&alice), (const unsigned char *)"one", 3);
    deliver();
    printf("SMP with a question\n");
    otrl_message_initiate_smp_q(alice.users, &ops, &alice, conversation(&alice), "which bird?", (const unsigned char *)"heron", 5);
    deliver();
    otrl_message_respond_smp(bob.users, &ops, &bob, conversation(&bob), (const unsigned char *)"heron", 5);
    deliver();
    printf("SMP, aborted\n");
    otrl_message_initiate_smp(alice.users, &ops, &alice, conversation(&alice), (const unsigned char *)"x", 1);
    deliver();
    otrl_message_abort_smp(bob.users, &ops, &bob, conversation(&bob));
    deliver();

    printf("the extra symmetric key\n");
    CHECK(!otrl_message_symkey(alice.users, &ops, &alice, conversation(&alice), 7, (const unsigned char *)"file", 4, key));
    deliver();
    CHECK(!memcmp(key, bob.symkey, sizeof key));

    /* In version 3, libotr reports a refresh differently from what it reports in version 2, and ours does not. */
    if (versions == OTRL_POLICY_ALLOW_V2) {
        printf("once more the key exchange\n");
        query = otrl_proto_default_query_msg(bob.name, versions);
        post(&bob, query);
        free(query);
        deliver();
        say(&bob, "after the refresh");
    }

    context = conversation(&alice);
    CHECK(context->active_fingerprint && otrl_context_is_fingerprint_trusted(context->active_fingerprint));
    otrl_message_poll(alice.users, &ops, &alice);

    printf("Alice ends it\n");
    if (versions == OTRL_POLICY_ALLOW_V2)
        otrl_message_disconnect(alice.users, &ops, &alice, alice.name, PROTOCOL, alice.peer, context->their_instance);
    else
        otrl_message_disconnect_all_instances(alice.users, &ops, &alice, alice.name, PROTOCOL, alice.peer);
    deliver();
    CHECK(context->msgstate == OTRL_MSGSTATE_PLAINTEXT);
    say(&bob, "too late");
    otrl_message_disconnect_all_instances(bob.users, &ops, &bob, bob.name, PROTOCOL, bob.peer);
    deliver();
}

/* The files that were written, read by a second user state: the same key, the same fingerprint and trust, the same tag. */
static void read_back(Party *party)
{
    OtrlUserState again = otrl_userstate_create();
    unsigned char before[20], after[20];
    ConnContext *context;
    OtrlInsTag *tag;

    CHECK(!otrl_privkey_read(again, path(party, "key")));
    CHECK(!otrl_instag_read(again, path(party, "instag")));
    CHECK(!otrl_privkey_read_fingerprints(again, path(party, "fingerprints"), NULL, NULL));
    CHECK(otrl_privkey_fingerprint_raw(party->users, before, party->name, PROTOCOL) != NULL);
    CHECK(otrl_privkey_fingerprint_raw(again, after, party->name, PROTOCOL) != NULL);
    CHECK(!memcmp(before, after, 20));
    tag = otrl_instag_find(again, party->name, PROTOCOL);
    CHECK(tag && tag->instag == otrl_instag_find(party->users, party->name, PROTOCOL)->instag);
    context = otrl_context_find(again, party->peer, party->name, PROTOCOL, OTRL_INSTAG_MASTER, 0, NULL, NULL, NULL);
    CHECK(context && context->fingerprint_root.next);
    if (context && context->fingerprint_root.next)
        printf("%s: %s is stored with trust '%s'\n", party->name, context->username, context->fingerprint_root.next->trust);
    otrl_userstate_free(again);
}

static void start(Party *party)
{
    party->users = otrl_userstate_create();
    CHECK(party->users != NULL);
    CHECK(!otrl_privkey_generate(party->users, path(party, "key"), party->name, PROTOCOL));
}

static void end(Party *party)
{
    static const char *const names[] = {"key", "instag", "fingerprints"};
    size_t i;

    read_back(party);
    otrl_userstate_free(party->users);
    CHECK(party->applications == 0);
    for (i = 0; i < 3; i++)
        CHECK(!unlink(path(party, names[i])));
}

int main(void)
{
    OTRL_INIT;
    CHECK(mkdtemp(folder) != NULL);
    printf("libotr %s\n", otrl_version());
    start(&alice);
    start(&bob);
    talk(OTRL_POLICY_ALLOW_V3);
    talk(OTRL_POLICY_ALLOW_V2);
    end(&alice);
    end(&bob);
    CHECK(!rmdir(folder));
    printf("%d failures\n", failures);
    return failures != 0;
}
