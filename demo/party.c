/* One party of a private conversation: a chat program without a network.
 *
 *     party NAME PEER FOLDER VERSIONS        for example:  party alice bob /tmp/alice 23
 *
 * It reads one command a line and answers with lines of its own, the last one "ready":
 *
 *     start                 ask PEER for a private conversation       -> wire TEXT   what must be sent to PEER
 *     say TEXT              the user typed TEXT                          typed TEXT   shown to the user, came encrypted
 *     recv TEXT             TEXT came from the network                   plain TEXT   shown to the user, came in the clear
 *     ask SECRET            is this really PEER? (no question)           event NAME   what the library reported
 *     askq QUESTION|SECRET  the same, with a question                    secure, insecure, still-secure
 *     reply SECRET          the answer to PEER's question                smp NAME [QUESTION]
 *     symkey NUMBER         make a key for use NUMBER                    symkey NUMBER HEX
 *     status                                                          -> status STATE|VERSION|OURS|THEIRS|TRUST|SESSION
 *     end, quit
 *
 * A line break inside a TEXT is written as \n and a backslash as \\.
 *
 * It uses libotr as any chat program does, needs only its public headers, and keeps its key, the fingerprints and the
 * instance tag in FOLDER.
 */
#include <libotr/proto.h>
#include <libotr/message.h>
#include <libotr/privkey.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const protocol = "demo";
static const char *me, *peer, *folder;
static OtrlPolicy policy;
static OtrlUserState users;

/* ---- lines in, lines out -------------------------------------------------------------------------------------- */

static void tell(const char *kind, const char *text)
{
    fputs(kind, stdout);
    if (text)
        putchar(' ');
    for (; text && *text; text++) {
        if (*text == '\n')
            fputs("\\n", stdout);
        else if (*text == '\\')
            fputs("\\\\", stdout);
        else
            putchar(*text);
    }
    putchar('\n');
}

static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] != '\0') {
            text++;
            *to++ = *text == 'n' ? '\n' : *text;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static void tell_symkey(unsigned int use, const unsigned char *key)
{
    int i;

    printf("symkey %u ", use);
    for (i = 0; i < OTRL_EXTRAKEY_BYTES; i++)
        printf("%02x", key[i]);
    putchar('\n');
}

static void file(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
}

/* ---- what the library asks of a chat program ------------------------------------------------------------------- */

static OtrlPolicy on_policy(void *data, ConnContext *context)
{
    (void)data, (void)context;
    return policy;
}

static void on_create_privkey(void *data, const char *account, const char *proto)
{
    char path[4096];

    (void)data;
    file(path, sizeof path, "key");
    tell("event", otrl_privkey_generate(users, path, account, proto) ? "no-key" : "key-made");
}

static void on_create_instag(void *data, const char *account, const char *proto)
{
    char path[4096];

    (void)data;
    file(path, sizeof path, "instag");
    tell("event", otrl_instag_generate(users, path, account, proto) ? "no-tag" : "tag-made");
}

static int on_is_logged_in(void *data, const char *account, const char *proto, const char *who)
{
    (void)data, (void)account, (void)proto, (void)who;
    return 1;
}

static void on_inject(void *data, const char *account, const char *proto, const char *who, const char *message)
{
    (void)data, (void)account, (void)proto, (void)who;
    tell("wire", message);
}

static void on_new_fingerprint(void *data, OtrlUserState us, const char *account, const char *proto, const char *who,
                               unsigned char fingerprint[20])
{
    char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN];

    (void)data, (void)us, (void)account, (void)proto, (void)who;
    otrl_privkey_hash_to_human(human, fingerprint);
    tell("fingerprint", human);
}

static void on_write_fingerprints(void *data)
{
    char path[4096];

    (void)data;
    file(path, sizeof path, "fingerprints");
    if (otrl_privkey_write_fingerprints(users, path))
        tell("event", "fingerprints-not-written");
}

static void on_gone_secure(void *data, ConnContext *context)
{
    (void)data, (void)context;
    tell("secure", NULL);
}

static void on_gone_insecure(void *data, ConnContext *context)
{
    (void)data, (void)context;
    tell("insecure", NULL);
}

static void on_still_secure(void *data, ConnContext *context, int is_reply)
{
    (void)data, (void)context, (void)is_reply;
    tell("still-secure", NULL);
}

static void on_symkey(void *data, ConnContext *context, unsigned int use, const unsigned char *use_data,
                      size_t use_length, const unsigned char *key)
{
    (void)data, (void)context, (void)use_data, (void)use_length;
    tell_symkey(use, key);
}

static void on_smp(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
    char line[512];

    (void)percent;
    switch (event) {
    case OTRL_SMPEVENT_ASK_FOR_SECRET:
        tell("smp", "asked");
        break;
    case OTRL_SMPEVENT_ASK_FOR_ANSWER:
        snprintf(line, sizeof line, "asked %s", question);
        tell("smp", line);
        break;
    case OTRL_SMPEVENT_SUCCESS:
        tell("smp", "same-secret");
        break;
    case OTRL_SMPEVENT_FAILURE:
        tell("smp", "different-secret");
        break;
    case OTRL_SMPEVENT_IN_PROGRESS:
        break;
    case OTRL_SMPEVENT_ABORT:
        tell("smp", "aborted");
        break;
    default: /* an error, or the peer did not play by the rules */
        tell("smp", "failed");
        otrl_message_abort_smp(users, (const OtrlMessageAppOps *)data, data, context);
        break;
    }
}

static void on_message_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message,
                             gcry_error_t error)
{
    char line[64];

    (void)data, (void)context, (void)message;
    snprintf(line, sizeof line, "message-%d%s", (int)event, error ? " with-error" : "");
    tell("event", line);
}

static OtrlMessageAppOps ops; /* callbacks that stay NULL are not wanted */

/* ---- what the user and the network do --------------------------------------------------------------------------- */

static ConnContext *conversation(void)
{
    return otrl_context_find(users, peer, me, protocol, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
}

static void say(const char *text)
{
    char *out = NULL;
    gcry_error_t error = otrl_message_sending(users, &ops, &ops, me, protocol, peer, OTRL_INSTAG_BEST, text, NULL, &out,
                                              OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);

    if (error)
        tell("event", "not-sent"); /* never fall back to sending what the user typed */
    else if (!out || *out) /* an empty text means: nothing is to be sent */
        tell("wire", out ? out : text);
    otrl_message_free(out);
}

static void receive(const char *text)
{
    char *shown = NULL;
    OtrlTLV *tlvs = NULL;
    ConnContext *context = conversation();
    int private_before = context && context->msgstate == OTRL_MSGSTATE_ENCRYPTED;
    int internal = otrl_message_receiving(users, &ops, &ops, me, protocol, peer, text, &shown, &tlvs, NULL, NULL, NULL);

    if (!internal)
        tell(shown && private_before ? "typed" : "plain", shown ? shown : text);
    if (otrl_tlv_find(tlvs, OTRL_TLV_DISCONNECTED))
        tell("event", "peer-ended");
    otrl_tlv_free(tlvs);
    otrl_message_free(shown);
}

static void start(void)
{
    char *query = otrl_proto_default_query_msg(me, policy);

    tell("wire", query);
    free(query);
}

static void symkey(unsigned int use)
{
    unsigned char key[OTRL_EXTRAKEY_BYTES];
    ConnContext *context = conversation();

    if (context && !otrl_message_symkey(users, &ops, &ops, context, use, NULL, 0, key))
        tell_symkey(use, key);
    else
        tell("event", "no-symkey");
    memset(key, 0, sizeof key);
}

static void smp(const char *command, char *argument)
{
    ConnContext *context = conversation();
    char *secret;

    if (!context) {
        tell("event", "no-conversation");
    } else if (!strcmp(command, "askq")) {
        secret = strchr(argument, '|');
        if (!secret)
            return;
        *secret++ = '\0';
        otrl_message_initiate_smp_q(users, &ops, &ops, context, argument, (unsigned char *)secret, strlen(secret));
    } else if (!strcmp(command, "ask")) {
        otrl_message_initiate_smp(users, &ops, &ops, context, (unsigned char *)argument, strlen(argument));
    } else {
        otrl_message_respond_smp(users, &ops, &ops, context, (unsigned char *)argument, strlen(argument));
    }
}

static void status(void)
{
    static const char *const names[] = {"plaintext", "encrypted", "finished"};
    ConnContext *context = conversation();
    char ours[OTRL_PRIVKEY_FPRINT_HUMAN_LEN] = "-", theirs[OTRL_PRIVKEY_FPRINT_HUMAN_LEN] = "-";
    Fingerprint *print = context ? context->active_fingerprint : NULL;
    size_t i;

    if (!context) {
        tell("status", "plaintext|0|-|-||");
        return;
    }
    otrl_privkey_fingerprint(users, ours, me, protocol);
    if (print)
        otrl_privkey_hash_to_human(theirs, print->fingerprint);
    printf("status %s|%u|%s|%s|%s|", names[context->msgstate], context->protocol_version, ours, theirs,
           print && print->trust ? print->trust : "");
    for (i = 0; i < context->sessionid_len; i++)
        printf("%02x", context->sessionid[i]);
    putchar('\n');
}

static void obey(const char *command, char *argument)
{
    if (!strcmp(command, "start"))
        start();
    else if (!strcmp(command, "say"))
        say(argument);
    else if (!strcmp(command, "recv"))
        receive(argument);
    else if (!strcmp(command, "ask") || !strcmp(command, "askq") || !strcmp(command, "reply"))
        smp(command, argument);
    else if (!strcmp(command, "symkey"))
        symkey((unsigned int)strtoul(argument, NULL, 10));
    else if (!strcmp(command, "status"))
        status();
    else if (!strcmp(command, "end"))
        otrl_message_disconnect_all_instances(users, &ops, &ops, me, protocol, peer);
    else
        tell("event", "unknown-command");
}

int main(int argc, char **argv)
{
    static char line[1 << 20];
    char path[4096];

    if (argc != 5) {
        fprintf(stderr, "usage: %s NAME PEER FOLDER VERSIONS\n", argv[0]);
        return 2;
    }
    me = argv[1], peer = argv[2], folder = argv[3];
    if (strchr(argv[4], '1'))
        policy |= OTRL_POLICY_ALLOW_V1;
    if (strchr(argv[4], '2'))
        policy |= OTRL_POLICY_ALLOW_V2;
    if (strchr(argv[4], '3'))
        policy |= OTRL_POLICY_ALLOW_V3;

    ops.policy = on_policy;
    ops.create_privkey = on_create_privkey;
    ops.create_instag = on_create_instag;
    ops.is_logged_in = on_is_logged_in;
    ops.inject_message = on_inject;
    ops.new_fingerprint = on_new_fingerprint;
    ops.write_fingerprints = on_write_fingerprints;
    ops.gone_secure = on_gone_secure;
    ops.gone_insecure = on_gone_insecure;
    ops.still_secure = on_still_secure;
    ops.received_symkey = on_symkey;
    ops.handle_smp_event = on_smp;
    ops.handle_msg_event = on_message_event;

    OTRL_INIT;
    users = otrl_userstate_create();
    file(path, sizeof path, "key");
    otrl_privkey_read(users, path);
    file(path, sizeof path, "fingerprints");
    otrl_privkey_read_fingerprints(users, path, NULL, NULL);
    file(path, sizeof path, "instag");
    otrl_instag_read(users, path);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!otrl_privkey_find(users, me, protocol))
        on_create_privkey(NULL, me, protocol);
    tell("ready", otrl_version());

    while (fgets(line, sizeof line, stdin)) {
        char *argument = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (argument)
            *argument++ = '\0';
        else
            argument = line + strlen(line);
        unescape(argument);
        if (!strcmp(line, "quit"))
            break;
        obey(line, argument);
        tell("ready", NULL);
    }
    otrl_userstate_free(users);
    return 0;
}
