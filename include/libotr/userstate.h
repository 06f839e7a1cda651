/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __USERSTATE_H__
#define __USERSTATE_H__

#include "instag.h"
#include "context.h"
#include "privkey-t.h"

/**
 * The conversations, keys and instance tags of one user.
 */
struct s_OtrlUserState {
    /**
     * The conversations, sorted by correspondent, account, protocol and
     * their instance tag.
     */
    ConnContext *context_root;
    /**
     * Our private keys.
     */
    OtrlPrivKey *privkey_root;
    /**
     * Our instance tags.
     */
    OtrlInsTag *instag_root;
    /**
     * The keys that are being generated.
     */
    OtrlPendingPrivKey *pending_root;
    /**
     * Whether the application was asked to run a timer.
     */
    int timer_running;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a user state. NULL without memory.
 */
OtrlUserState otrl_userstate_create(void);

/**
 * Releases a user state and everything that belongs to it. A timer that the
 * application runs for it must have been stopped.
 *
 * The caller promises:
 * `us` is NULL or from `otrl_userstate_create`, and not used any more.
 */
void otrl_userstate_free(OtrlUserState us);

#ifdef __cplusplus
}
#endif

#endif  /* __USERSTATE_H__ */
