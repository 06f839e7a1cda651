/* Numbers that no enumerator has, written by the program into fields and handed over as arguments; and structures whose
 * other fields hold nonsense.
 */
#include <libotr/proto.h>
#include <libotr/userstate.h>
#include <libotr/message.h>
#include <libotr/privkey.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static OtrlUserState users;

static OtrlPolicy policy(void *data, ConnContext *context)
{
    (void)context;
    return *(OtrlPolicy *)data;
}

/* How often the text was seen on its way out. */
static int clear;
/* Events are not shown: one library reports what the other passes over. */
static int quiet;

static void inject(void *data, const char *account, const char *protocol, const char *recipient, const char *message)
{
    (void)data;
    clear += strncmp(message, "text", 4) == 0;
    if (*message != '\0') printf("  inject %s %s %s %.9s\n", account, protocol, recipient, message);
}

static void msg_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t error)
{
    (void)data, (void)context;
    if (!quiet) printf("  event %d %08x %s\n", event, error, message ? message : "NULL");
}

static void smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short percent, char *question)
{
    (void)data, (void)context;
    printf("  smp %d %u %s\n", event, percent, question ? question : "NULL");
}

static const OtrlMessageAppOps ops = {.policy = policy, .inject_message = inject, .handle_msg_event = msg_event,
    .handle_smp_event = smp_event};

static OtrlPolicy allowed = OTRL_POLICY_DEFAULT;

static ConnContext *fresh(void)
{
    otrl_context_forget_all(users);
    return otrl_context_find(users, "bob", "me", "p", 0, 1, NULL, NULL, NULL);
}

static void show(const ConnContext *context)
{
    printf("  state %d handshake %d offer %d comparison %d\n", context->msgstate, context->auth.authstate, context->otr_offer,
        context->smstate->nextExpected);
}

static char *sent(int fragments)
{
    char *out = NULL;

    otrl_message_sending(users, &ops, &allowed, "me", "p", "bob", OTRL_INSTAG_BEST, "text", NULL, &out,
        (OtrlFragmentPolicy)fragments, NULL, NULL, NULL);
    return out;
}

static void send_text(void)
{
    char *out = sent(OTRL_FRAGMENT_SEND_ALL);

    printf("  send %.4s\n", out ? out : "NULL");
    otrl_message_free(out);
}

static void receive(const char *message)
{
    char *out = NULL;
    int internal = otrl_message_receiving(users, &ops, &allowed, "me", "p", "bob", message, &out, NULL, NULL, NULL, NULL);

    printf("  receive %.12s: %d %s\n", message, internal, out ? out : "NULL");
    otrl_message_free(out);
}

static void around(ConnContext *context)
{
    show(context);
    send_text();
    receive("hello");
    receive("?OTR Error: no");
    receive("?OTR:AAICAAAA.");
    receive("?OTR:AAIDAAAA.");
    otrl_message_initiate_smp(users, &ops, &allowed, context, (const unsigned char *)"s", 1);
    otrl_message_respond_smp(users, &ops, &allowed, context, (const unsigned char *)"s", 1);
    otrl_message_disconnect(users, &ops, &allowed, "me", "p", "bob", 0);
    show(context);
}

/* In a state that is none, no text leaves in the clear. */
static void unsendable(ConnContext *context)
{
    char *out;

    clear = 0;
    quiet = 1;
    out = sent(OTRL_FRAGMENT_SEND_ALL);
    printf("  sent in the clear %d\n", clear);
    otrl_message_free(out);
    otrl_message_initiate_smp(users, &ops, &allowed, context, (const unsigned char *)"s", 1);
    otrl_message_disconnect(users, &ops, &allowed, "me", "p", "bob", 0);
    quiet = 0;
}

int main(void)
{
    static const int odd[] = {-1, 4, 77, 0x7fffffff};
    ConnContext *context;
    size_t i;

    OTRL_INIT;
    users = otrl_userstate_create();
    for (i = 0; i < sizeof odd / sizeof *odd; i++) {
        printf("message state %d\n", odd[i]);
        context = fresh();
        context->msgstate = (OtrlMessageState)odd[i];
        unsendable(context);
        printf("handshake state %d\n", odd[i]);
        context = fresh();
        context->auth.authstate = (OtrlAuthState)odd[i];
        around(context);
        printf("offer %d\n", odd[i]);
        context = fresh();
        context->otr_offer = odd[i];
        around(context);
        printf("comparison state %d\n", odd[i]);
        context = fresh();
        context->smstate->nextExpected = (NextExpectedSMP)odd[i];
        context->smstate->sm_prog_state = (OtrlSMProgState)odd[i];
        around(context);
        printf("half %d, version %d, policy %d, fragments %d\n", odd[i], odd[i], odd[i], odd[i]);
        context = fresh();
        context->sessionid_half = context->auth.session_id_half = (OtrlSessionIdHalf)odd[i];
        context->protocol_version = context->auth.protocol_version = (unsigned int)odd[i];
        around(context);
        /* An error in one library, nothing in the other. */
        otrl_message_free(sent(odd[i]));
        otrl_auth_start_v23(&context->auth, odd[i]);
        printf("best %d\n", otrl_context_find(users, "bob", "me", "p", (otrl_instag_t)odd[i], 0, NULL, NULL, NULL) != NULL);
    }
    otrl_userstate_free(users);
    return 0;
}
