/* snapshot.c - the public fields of everything that a user state owns.
 *
 * Pointers are written as names.  A pointer that should lead to a member of
 * a list but does not is written as DANGLING and never followed. */
#include "lab.h"
#include <stdlib.h>
#include <string.h>

const char *context_name(ConnContext *context)
{
    static char names[8][700];
    static int at;
    if (!context) return "~";
    at = (at + 1) % 8;
    const char *protocol = context->protocol;
    int usual = protocol && !strcmp(protocol, PROTOCOL);
    snprintf(names[at], sizeof names[at], "%s/%s%s%s#%x", enc(context->username),
             enc(context->accountname), usual ? "" : "/", usual ? "" : enc(protocol),
             context->their_instance);
    return names[at];
}

/* What a program can see of a context while a callback runs. */
const char *context_brief(ConnContext *context)
{
    static char briefs[4][900];
    static int at;
    if (!context) return "ctx=~";
    at = (at + 1) % 4;
    OtrlSMState *sm = context->smstate;
    snprintf(briefs[at], sizeof briefs[at], "ctx=%s ms=%d as=%d pv=%u ne=%d pp=%d", context_name(context),
             context->msgstate, context->auth.authstate, context->protocol_version,
             sm ? (int)sm->nextExpected : -9, sm ? (int)sm->sm_prog_state : -9);
    return briefs[at];
}

static const char *context_link(struct client *c, ConnContext *target)
{
    if (!target) return "~";
    for (ConnContext *node = c->us->context_root; node; node = node->next)
        if (node == target) return context_name(node);
    return "DANGLING";
}

static const char *fingerprint_link(ConnContext *context)
{
    Fingerprint *target = context->active_fingerprint;
    ConnContext *master = context->m_context;
    if (!target) return "~";
    if (!master) return "NO-MASTER";
    for (Fingerprint *f = master->fingerprint_root.next; f; f = f->next)
        if (f == target) return hex(f->fingerprint, 20);
    return "DANGLING";
}

static const char *list_end(ConnContext *context)
{
    return context->tous && *context->tous == context ? "ok" : "BROKEN";
}

static void show_context(struct client *c, ConnContext *x)
{
    const char *name = context_name(x);
    int master_known = strcmp(context_link(c, x->m_context), "DANGLING") != 0;
    emit("ctx %s our=%x ms=%d offer=%d pv=%u sid=%s half=%d m=%s rr=%s rs=%s rc=%s afp=%s app=%d tous=%s", name,
         x->our_instance, x->msgstate, (int)x->otr_offer, x->protocol_version,
         x->sessionid_len <= 20 ? hex(x->sessionid, x->sessionid_len) : "TOO-LONG", x->sessionid_half,
         context_link(c, x->m_context), context_link(c, x->recent_rcvd_child),
         context_link(c, x->recent_sent_child), context_link(c, x->recent_child),
         master_known ? fingerprint_link(x) : "?", x->app_data != NULL, list_end(x));
    emit("auth %s as=%d pv=%d init=%d keyid=%u last=%d ctime=%lld", name, x->auth.authstate,
         x->auth.protocol_version, x->auth.initiated, x->auth.our_keyid, x->auth.lastauthmsg != NULL,
         (long long)x->auth.commit_sent_time);
    if (x->smstate)
        emit("sm %s ne=%d q=%d pp=%d secret=%d", name, x->smstate->nextExpected, x->smstate->received_question,
             x->smstate->sm_prog_state, x->smstate->secret != NULL);
    else
        emit("sm %s none", name);
    ConnContextPriv *p = x->context_priv;
    if (p)
        emit("priv %s theirs=%u ours=%u gen=%u sent=%lld rcvd=%lld again=%d frag=%u/%u/%zu saved=%u", name,
             p->their_keyid, p->our_keyid, p->generation, (long long)p->lastsent, (long long)p->lastrecv,
             p->may_retransmit, p->fragment_k, p->fragment_n, p->fragment ? p->fragment_len : 0, p->numsavedkeys);
    int i = 0;
    for (Fingerprint *f = x->fingerprint_root.next; f; f = f->next, i++)
        emit("fp %s %d fp=%s trust=%s trusted=%d of=%s tous=%s", name, i, f->fingerprint ? hex(f->fingerprint, 20) : "~",
             enc(f->trust), lib.otrl_context_is_fingerprint_trusted(f) != 0, context_link(c, f->context),
             f->tous && *f->tous == f ? "ok" : "BROKEN");
}

/* Inside a hook nothing is shown: the command around it will do it. */
void snapshot(struct client *c)
{
    if (hook_depth) return;
    for (ConnContext *x = c->us->context_root; x; x = x->next)
        show_context(c, x);
    for (OtrlPrivKey *k = c->us->privkey_root; k; k = k->next) {
        unsigned char fingerprint[20];
        unsigned char *known = lib.otrl_privkey_fingerprint_raw(c->us, fingerprint, k->accountname, k->protocol);
        emit("key %s %s type=%u length=%zu fp=%s", enc(k->accountname), enc(k->protocol), k->pubkey_type,
             k->pubkey_datalen, known ? hex(fingerprint, 20) : "~");
    }
    for (OtrlInsTag *t = c->us->instag_root; t; t = t->next)
        emit("tag %s %s %08x", enc(t->accountname), enc(t->protocol), t->instag);
    for (OtrlPendingPrivKey *k = c->us->pending_root; k; k = k->next)
        emit("pending %s %s", enc(k->accountname), enc(k->protocol));
    emit("timer %d", c->us->timer_running);
}
