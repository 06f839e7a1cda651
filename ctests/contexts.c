//@ options: -lgcrypt
/* Contexts, fingerprints and trust: making, finding, ordering, choosing, ending and forgetting them, with structures and
 * list links looked at as programs do.
 */
#include <libotr/proto.h>
#include <libotr/userstate.h>
#include <libotr/context.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static OtrlUserState users;
static int released;

static void add_data(void *data, ConnContext *context)
{
    printf("  new: %s, tags %u and %u, own master %d, state %d, in the list %d\n", context->username, context->our_instance,
        context->their_instance, context->m_context == context, context->msgstate, *context->tous == context);
    context->app_data = data;
    context->app_data_free = NULL;
}

static void release_data(void *data)
{
    *(int *)data += 1;
}

static ConnContext *find(const char *name, otrl_instag_t tag, int add)
{
    int added = 7;
    ConnContext *found = otrl_context_find(users, name, "me", "p", tag, add, &added, add_data, NULL);

    printf("find %s %u: %s, added %d\n", name, tag, found ? "found" : "NULL", added);
    return found;
}

static void list(void)
{
    ConnContext *context, **link = &users->context_root;

    for (context = users->context_root; context; context = context->next) {
        printf(" %s/%u%s", context->username, context->their_instance, context->tous == link ? "" : " with a wrong link");
        link = &context->next;
    }
    putchar('\n');
}

static const char *name_of(const ConnContext *context, const ConnContext *master)
{
    static char name[20];

    if (context == NULL) return "NULL";
    if (context == master) return "the master";
    snprintf(name, sizeof name, "instance %u", context->their_instance);
    return name;
}

static void instances(void)
{
    ConnContext *master = find("bob", OTRL_INSTAG_MASTER, 1), *one = find("bob", 0x101, 1), *two = find("bob", 0x102, 1);
    otrl_instag_t tag;

    printf("children %d %d, recent of children %d\n", one->m_context == master, two->m_context == master,
        one->recent_child == NULL);
    for (tag = OTRL_INSTAG_BEST; tag <= OTRL_INSTAG_RECENT_SENT; tag++)
        printf("meta tag %u: %s\n", tag, name_of(find("bob", tag, 0), master));
    printf("meaningless tag: %s\n", name_of(find("bob", 0x20, 0), master));
    otrl_context_update_recent_child(two, 1);
    otrl_context_update_recent_child(one, 0);
    for (tag = OTRL_INSTAG_MASTER; tag <= OTRL_INSTAG_RECENT_SENT + 1; tag++)
        printf("recent %u: %s\n", tag, name_of(otrl_context_find_recent_instance(one, tag), master));

    /* The best: by state, then by trust, then by time. */
    printf("best: %s\n", name_of(otrl_context_find_recent_secure_instance(one), master));
    one->context_priv->lastrecv = 5;
    printf("best by time: %s\n", name_of(otrl_context_find_recent_secure_instance(master), master));
    two->msgstate = OTRL_MSGSTATE_FINISHED;
    printf("best is finished: %s\n", name_of(otrl_context_find_recent_secure_instance(master), master));
    one->msgstate = two->msgstate = OTRL_MSGSTATE_ENCRYPTED;
    printf("best is encrypted: %s\n", name_of(otrl_context_find_recent_secure_instance(master), master));
    {
        unsigned char print[20] = {1};
        Fingerprint *trusted = otrl_context_find_fingerprint(two, print, 1, NULL);

        otrl_context_set_trust(trusted, "verified");
        two->active_fingerprint = trusted;
        printf("best is trusted: %s\n", name_of(otrl_context_find_recent_secure_instance(master), master));
        otrl_context_force_finished(two);
        printf("finished: state %d, fingerprint %d\n", two->msgstate, two->active_fingerprint != NULL);
    }
    printf("forget in use %d\n", otrl_context_forget(master));
    otrl_context_force_plaintext(one);
    otrl_context_force_plaintext(two);
    list();
    printf("forget a child %d\n", otrl_context_forget(one));
    list();
    master->app_data = two->app_data = &released;
    master->app_data_free = two->app_data_free = release_data;
    printf("forget the master %d, data released %d\n", otrl_context_forget(master), released);
    list();
}

static void order(void)
{
    static const char *const names[] = {"m", "zz", "", "a", "Z", "mm", "\xc3\xa9", "b", "l"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        otrl_context_find(users, names[i], "me", "p", 0, 1, NULL, NULL, NULL);
        otrl_context_find(users, names[i], "me", "p", 0x200 + (otrl_instag_t)(i * 7 % 5), 1, NULL, NULL, NULL);
    }
    otrl_context_find(users, "b", "me", "other", 0, 1, NULL, NULL, NULL);
    otrl_context_find(users, "b", "I", "p", 0, 1, NULL, NULL, NULL);
    list();
    printf("no name: %d\n", otrl_context_find(users, NULL, "me", "p", 0, 1, NULL, NULL, NULL) == NULL);
    otrl_context_forget_all(users);
    printf("all forgotten: %d\n", users->context_root == NULL);
}

static void fingerprints(void)
{
    ConnContext *master = find("bob", 0, 1), *child = find("bob", 0x300, 1);
    unsigned char first[20] = {1}, second[20] = {2}, third[20] = {3};
    Fingerprint *print, *other;
    int added = 7;

    print = otrl_context_find_fingerprint(child, first, 1, &added);
    printf("added %d, of the master %d, trusted %d\n", added, print->context == master,
        otrl_context_is_fingerprint_trusted(print));
    other = otrl_context_find_fingerprint(master, second, 1, &added);
    printf("the newest is first %d %d\n", master->fingerprint_root.next == other, other->next == print);
    printf("links %d %d\n", *other->tous == other, *print->tous == print);
    printf("again %d", otrl_context_find_fingerprint(child, first, 1, &added) == print);
    printf(" added %d\n", added);
    printf("missing %d", otrl_context_find_fingerprint(child, third, 0, &added) == NULL);
    printf(" added %d\n", added);
    otrl_context_set_trust(print, "verified");
    printf("trust %s %d\n", print->trust, otrl_context_is_fingerprint_trusted(print));
    otrl_context_set_trust(print, print->trust);
    otrl_context_set_trust(print, "");
    printf("trust '%s' %d\n", print->trust, otrl_context_is_fingerprint_trusted(print));
    otrl_context_set_trust(print, NULL);
    printf("trust %d %d %d\n", print->trust == NULL, otrl_context_is_fingerprint_trusted(print),
        otrl_context_is_fingerprint_trusted(NULL));
    master->active_fingerprint = print;
    otrl_context_forget_fingerprint(print, 1);
    printf("in use, still there %d\n", other->next == print);
    master->active_fingerprint = NULL;
    otrl_context_forget_fingerprint(print, 1);
    printf("forgotten %d\n", other->next == NULL);
    otrl_context_forget_fingerprint(other, 0);
    printf("the last one, context still there %d\n", users->context_root == master);
    print = otrl_context_find_fingerprint(master, third, 1, &added);
    otrl_context_forget_fingerprint(print, 1);
    printf("with the context %d\n", users->context_root == NULL);
    master = find("bob", 0, 1);
    otrl_context_forget_fingerprint(&master->fingerprint_root, 1);
    printf("by the root of the list %d\n", users->context_root == NULL);
}

/* What a program with a context of its own may do. */
static void own(void)
{
    struct context mine;
    ConnContextPriv *private;

    memset(&mine, 0, sizeof mine);
    mine.context_priv = otrl_context_priv_new();
    mine.smstate = malloc(sizeof *mine.smstate);
    otrl_sm_state_new(mine.smstate);
    otrl_auth_new(&mine);
    private = mine.context_priv;
    private->their_keyid = 3;
    private->generation = 4;
    private->lastsent = 5;
    private->lastrecv = 6;
    private->may_retransmit = 2;
    private->fragment = strcpy(malloc(8), "partial");
    private->fragment_len = 7;
    private->fragment_k = 1;
    private->fragment_n = 2;
    memset(mine.sessionid, 9, sizeof mine.sessionid);
    mine.sessionid_len = 8;
    mine.protocol_version = 3;
    mine.otr_offer = OFFER_SENT;
    mine.auth.initiated = 1;
    mine.auth.commit_sent_time = 7;
    mine.smstate->nextExpected = OTRL_SMP_EXPECT3;
    mine.smstate->received_question = 1;
    otrl_context_force_finished(&mine);
    printf("state %d, version %u, session id %u %u, offer %d\n", mine.msgstate, mine.protocol_version, mine.sessionid[0],
        (unsigned)mine.sessionid_len, mine.otr_offer);
    printf("handshake %d %ld, comparison %d %d\n", mine.auth.initiated, (long)mine.auth.commit_sent_time,
        mine.smstate->nextExpected, mine.smstate->received_question);
    printf("private: key %u, generation %u, times %ld %ld, resend %d, piece %d %u %u %u\n", private->their_keyid,
        private->generation, (long)private->lastsent, (long)private->lastrecv, private->may_retransmit,
        private->fragment != NULL, (unsigned)private->fragment_len, private->fragment_k, private->fragment_n);
    otrl_context_priv_force_finished(private);
    otrl_context_force_plaintext(&mine);
    printf("state %d\n", mine.msgstate);
    free(mine.smstate);
    free(private);
}

int main(void)
{
    OTRL_INIT;
    users = otrl_userstate_create();
    instances();
    order();
    fingerprints();
    own();
    find("left over", OTRL_INSTAG_MASTER, 1);
    otrl_userstate_free(users);
    return 0;
}
