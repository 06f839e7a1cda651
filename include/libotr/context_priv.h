/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __CONTEXT_PRIV_H__
#define __CONTEXT_PRIV_H__

#include <gcrypt.h>
#include <time.h>

#include "dh.h"
#include "auth.h"
#include "sm.h"

/**
 * The library's own part of a `ConnContext`.
 */
struct context_priv {
    /**
     * The pieces of a message that have arrived so far, from `malloc`.
     */
    char *fragment;
    /**
     * The length of `fragment` in bytes.
     */
    size_t fragment_len;
    /**
     * How many pieces that message has.
     */
    unsigned short fragment_n;
    /**
     * How many of them have arrived.
     */
    unsigned short fragment_k;
    /**
     * The number of their newest D-H key, 0 if there is none.
     */
    unsigned int their_keyid;
    /**
     * Their D-H public key with that number.
     */
    gcry_mpi_t their_y;
    /**
     * Their D-H public key before.
     */
    gcry_mpi_t their_old_y;
    /**
     * The number of our newest D-H key.
     */
    unsigned int our_keyid;
    /**
     * Our D-H key pair with that number.
     */
    DH_keypair our_dh_key;
    /**
     * Our D-H key pair before.
     */
    DH_keypair our_old_dh_key;
    /**
     * The session keys of our key `our_keyid - i` and their key
     * `their_keyid - j`.
     */
    DH_sesskeys sesskeys[2][2];
    /**
     * How many MAC keys wait to be revealed.
     */
    unsigned int numsavedkeys;
    /**
     * These keys, 20 bytes each.
     */
    unsigned char *saved_mac_keys;
    /**
     * How often the conversation has become private.
     */
    unsigned int generation;
    /**
     * When a data message was sent last.
     */
    time_t lastsent;
    /**
     * When a message was received last.
     */
    time_t lastrecv;
    /**
     * The text that was sent last.
     */
    char *lastmessage;
    /**
     * Whether that text may be sent once more.
     */
    int may_retransmit;
};

/**
 * The library's own part of a `ConnContext`.
 */
typedef struct context_priv ConnContextPriv;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes an empty private part, to be released with `free`. NULL without
 * memory.
 */
ConnContextPriv *otrl_context_priv_new(void);

/**
 * Wipes and releases what a private part holds, except for the generation
 * and the times of the last messages. The structure itself remains.
 *
 * The caller promises:
 * `context_priv` is NULL or valid; its pointers are NULL or as described
 * above.
 */
void otrl_context_priv_force_finished(ConnContextPriv *context_priv);

#ifdef __cplusplus
}
#endif

#endif  /* __CONTEXT_PRIV_H__ */
