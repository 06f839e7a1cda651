/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __CONTEXT_H__
#define __CONTEXT_H__

#include <gcrypt.h>

#include "context_priv.h"
#include "dh.h"
#include "auth.h"
#include "sm.h"
#include "instag.h"

/**
 * Whether messages to a correspondent are encrypted.
 */
typedef enum {
    /**
     * There is no private conversation.
     */
    OTRL_MSGSTATE_PLAINTEXT,
    /**
     * Messages are encrypted.
     */
    OTRL_MSGSTATE_ENCRYPTED,
    /**
     * The peer has ended the private conversation; nothing can be sent until
     * this side ends it as well or begins a new one.
     */
    OTRL_MSGSTATE_FINISHED
} OtrlMessageState;

/**
 * What became of the offer to speak OTR.
 */
typedef enum {
    /**
     * None was made.
     */
    OFFER_NOT,
    /**
     * It was made and not answered yet.
     */
    OFFER_SENT,
    /**
     * The correspondent went on without OTR.
     */
    OFFER_REJECTED,
    /**
     * The correspondent speaks OTR.
     */
    OFFER_ACCEPTED
} OtrlOffer;

/**
 * A public key that a correspondent has used.
 */
struct s_fingerprint {
    /**
     * The next one in the list, or NULL.
     */
    struct s_fingerprint *next;
    /**
     * The pointer that points here.
     */
    struct s_fingerprint **tous;
    /**
     * 20 bytes from `malloc`; NULL in the root of the list.
     */
    unsigned char *fingerprint;
    /**
     * The master context to which the list belongs.
     */
    ConnContext *context;
    /**
     * The level of trust, from `malloc`. NULL or empty means untrusted.
     */
    char *trust;
};

/**
 * A public key that a correspondent has used.
 */
typedef struct s_fingerprint Fingerprint;

/**
 * One conversation: with a correspondent in general (a master context), or
 * with one of the places where the correspondent is logged in.
 */
struct context {
    /**
     * The next context in the list, or NULL.
     */
    struct context *next;
    /**
     * The pointer that points here.
     */
    struct context **tous;
    /**
     * What only the library should look at.
     */
    ConnContextPriv *context_priv;
    /**
     * The correspondent, ...
     */
    char *username;
    /**
     * ... as known to this account of ours ...
     */
    char *accountname;
    /**
     * ... with this chat protocol.
     */
    char *protocol;
    /**
     * The master context; a master points to itself.
     */
    struct context *m_context;
    /**
     * In a master: the context of its group that received a message last, at
     * first itself. NULL in other contexts.
     */
    struct context *recent_rcvd_child;
    /**
     * In a master: the context of its group that sent a message last.
     */
    struct context *recent_sent_child;
    /**
     * In a master: whichever of these two was used later.
     */
    struct context *recent_child;
    /**
     * Our instance tag.
     */
    otrl_instag_t our_instance;
    /**
     * Their instance tag; 0 in a master.
     */
    otrl_instag_t their_instance;
    /**
     * Whether messages are encrypted.
     */
    OtrlMessageState msgstate;
    /**
     * The key exchange that is going on, if any.
     */
    OtrlAuthInfo auth;
    /**
     * The root of the list of fingerprints, which only masters have. The
     * root is no entry itself.
     */
    Fingerprint fingerprint_root;
    /**
     * The fingerprint of the key in use, an entry of the master's list.
     */
    Fingerprint *active_fingerprint;
    /**
     * The session id: 8 bytes, 20 in version 1.
     */
    unsigned char sessionid[20];
    /**
     * How many bytes of `sessionid` count.
     */
    size_t sessionid_len;
    /**
     * Which half of the session id to show in bold type.
     */
    OtrlSessionIdHalf sessionid_half;
    /**
     * The protocol version in use.
     */
    unsigned int protocol_version;
    /**
     * What became of the offer to speak OTR.
     */
    OtrlOffer otr_offer;
    /**
     * Whatever the application keeps here.
     */
    void *app_data;
    /**
     * Called with `app_data` when the context is forgotten.
     */
    void (*app_data_free)(void *app_data);
    /**
     * How far a comparison of secrets has come.
     */
    OtrlSMState *smstate;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Finds the context of a correspondent, and makes it if it is missing and
 * `add_if_missing` is not 0.
 *
 * `their_instance` is a real instance tag, `OTRL_INSTAG_MASTER`, or the name
 * of a tag to choose. `*addedp`, if there is one, becomes 1 if a context was
 * made, otherwise 0. `add_app_data`, if not NULL, is called with `data` and
 * each context that was made.
 *
 * Returns NULL if there is none, if a name is NULL, or without memory.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, names are NULL or NUL-terminated,
 * `addedp` is NULL or valid.
 */
ConnContext *otrl_context_find(OtrlUserState us,
                               const char *user,
                               const char *accountname,
                               const char *protocol,
                               otrl_instag_t their_instance,
                               int add_if_missing,
                               int *addedp,
                               void (*add_app_data)(void *data,
                                                    ConnContext *context),
                               void *data);

/**
 * Whether a fingerprint is trusted: 1 or 0.
 *
 * The caller promises:
 * `fprint` is NULL or a valid fingerprint.
 */
int otrl_context_is_fingerprint_trusted(Fingerprint *fprint);

/**
 * Notes that a message was sent (`sent_msg` not 0) or received in a context,
 * for `OTRL_INSTAG_RECENT` and its like.
 *
 * The caller promises:
 * `context` is NULL or a valid context.
 */
void otrl_context_update_recent_child(ConnContext *context,
                                      unsigned int sent_msg);

/**
 * Finds a fingerprint of 20 bytes in the list of a context's master, and
 * adds it in front if it is missing and `add_if_missing` is not 0.
 *
 * `*addedp`, if there is one, becomes 1 if it was added, otherwise 0.
 * Returns NULL if there is none, or without memory.
 *
 * The caller promises:
 * `context` is NULL or a valid context, `fingerprint` is NULL or has 20
 * bytes, `addedp` is NULL or valid.
 */
Fingerprint *otrl_context_find_fingerprint(ConnContext *context,
                                           unsigned char fingerprint[20],
                                           int add_if_missing,
                                           int *addedp);

/**
 * Sets the level of trust of a fingerprint to a copy of `trust`, which may
 * be NULL.
 *
 * The caller promises:
 * `fprint` is NULL or a valid fingerprint, `trust` is NULL or NUL-terminated.
 */
void otrl_context_set_trust(Fingerprint *fprint, const char *trust);

/**
 * Ends a private conversation as if the peer had ended it: all keys are
 * wiped, and nothing can be sent in the context.
 *
 * The caller promises:
 * `context` is NULL or a valid context.
 */
void otrl_context_force_finished(ConnContext *context);

/**
 * Ends a private conversation: all keys are wiped. The peer is not told.
 *
 * The caller promises:
 * `context` is NULL or a valid context.
 */
void otrl_context_force_plaintext(ConnContext *context);

/**
 * Forgets a fingerprint, unless it is in use. If it was the last one, no
 * conversation is private and `and_maybe_context` is not 0, the context is
 * forgotten as well.
 *
 * The caller promises:
 * `fprint` is NULL or a valid fingerprint; if it is forgotten, it is not used
 * any more.
 */
void otrl_context_forget_fingerprint(Fingerprint *fprint,
                                     int and_maybe_context);

/**
 * Forgets a context, and all contexts of the same correspondent with it if it
 * is a master. Returns 0, or 1 if one of them is not plaintext and nothing
 * was done.
 *
 * The caller promises:
 * `context` is NULL or a valid context; if it is forgotten, it is not used
 * any more.
 */
int otrl_context_forget(ConnContext *context);

/**
 * Forgets all contexts of a user state, ending private conversations without
 * telling the peers.
 *
 * The caller promises:
 * `us` is NULL or a valid user state; its contexts are not used any more.
 */
void otrl_context_forget_all(OtrlUserState us);

/**
 * The context that one of the names from `OTRL_INSTAG_RECENT` to
 * `OTRL_INSTAG_RECENT_SENT` means for the correspondent of `context`, or NULL.
 *
 * The caller promises:
 * `context` is NULL or a valid context.
 */
ConnContext *otrl_context_find_recent_instance(ConnContext *context,
                                               otrl_instag_t recent_instag);

/**
 * The most secure context of the correspondent of `context`: by state, then
 * by trust, then by the time of the last message.
 *
 * The caller promises:
 * `context` is NULL or a valid context.
 */
ConnContext *otrl_context_find_recent_secure_instance(ConnContext *context);

#ifdef __cplusplus
}
#endif

#endif  /* __CONTEXT_H__ */

#include "userstate.h"
