/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __AUTH_H__
#define __AUTH_H__

#include <gcrypt.h>
#include <time.h>

#include "dh.h"
#include "privkey-t.h"

typedef struct context ConnContext;

/**
 * What a key exchange is waiting for.
 */
typedef enum {
    /**
     * No key exchange is going on.
     */
    OTRL_AUTHSTATE_NONE,
    /**
     * A D-H Commit was sent; the answer will be a D-H Key.
     */
    OTRL_AUTHSTATE_AWAITING_DHKEY,
    /**
     * A D-H Key was sent; the answer will be a Reveal Signature.
     */
    OTRL_AUTHSTATE_AWAITING_REVEALSIG,
    /**
     * A Reveal Signature was sent; the answer will be a Signature.
     */
    OTRL_AUTHSTATE_AWAITING_SIG,
    /**
     * A version 1 Key Exchange was sent.
     */
    OTRL_AUTHSTATE_V1_SETUP
} OtrlAuthState;

/**
 * The public side of one key exchange. It is part of a `ConnContext`.
 */
typedef struct {
    /**
     * What the exchange is waiting for.
     */
    OtrlAuthState authstate;
    /**
     * The context of which this is a part.
     */
    ConnContext *context;
    /**
     * Our D-H key pair in this exchange.
     */
    DH_keypair our_dh;
    /**
     * The number under which that key pair will be known.
     */
    unsigned int our_keyid;
    /**
     * The encrypted g^x of the D-H Commit, from `malloc`.
     */
    unsigned char *encgx;
    /**
     * The length of `encgx` in bytes.
     */
    size_t encgx_len;
    /**
     * The AES key that hides g^x until it is revealed.
     */
    unsigned char r[16];
    /**
     * The SHA-256 hash of g^x.
     */
    unsigned char hashgx[32];
    /**
     * Their D-H public key.
     */
    gcry_mpi_t their_pub;
    /**
     * The number of that key.
     */
    unsigned int their_keyid;
    /**
     * The cipher with key c.
     */
    gcry_cipher_hd_t enc_c;
    /**
     * The cipher with key c'.
     */
    gcry_cipher_hd_t enc_cp;
    /**
     * The authenticator with key m1.
     */
    gcry_md_hd_t mac_m1;
    /**
     * The authenticator with key m1'.
     */
    gcry_md_hd_t mac_m1p;
    /**
     * The authenticator with key m2.
     */
    gcry_md_hd_t mac_m2;
    /**
     * The authenticator with key m2'.
     */
    gcry_md_hd_t mac_m2p;
    /**
     * The fingerprint of the key that they signed with.
     */
    unsigned char their_fingerprint[20];
    /**
     * Whether this side began the exchange.
     */
    int initiated;
    /**
     * The protocol version of the exchange.
     */
    unsigned int protocol_version;
    /**
     * The session id: 8 bytes, 20 in version 1.
     */
    unsigned char secure_session_id[20];
    /**
     * How many bytes of `secure_session_id` count.
     */
    size_t secure_session_id_len;
    /**
     * Which half of the session id to show in bold type.
     */
    OtrlSessionIdHalf session_id_half;
    /**
     * The message of this exchange that was sent last, from `malloc`.
     */
    char *lastauthmsg;
    /**
     * When a D-H Commit was sent from a master context, otherwise 0.
     */
    time_t commit_sent_time;
} OtrlAuthInfo;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Ends a key exchange and wipes what it held. The structure remains part of
 * its context.
 *
 * The caller promises:
 * `auth` is NULL or valid; its pointers are NULL or as described above.
 */
void otrl_auth_clear(OtrlAuthInfo *auth);

/**
 * Makes the key exchange of a context blank. What it held is not released.
 *
 * The caller promises:
 * `context` is NULL or valid.
 */
void otrl_auth_new(ConnContext *context);

/**
 * Begins a key exchange of version 2 or 3. `lastauthmsg` is then the D-H
 * Commit that has to be sent.
 *
 * The caller promises:
 * `auth` is NULL or valid; its context is NULL or valid.
 */
gcry_error_t otrl_auth_start_v23(OtrlAuthInfo *auth, int version);

/**
 * Handles a D-H Commit of the given version. `lastauthmsg` is then the answer
 * that has to be sent.
 *
 * The caller promises:
 * `auth` is NULL or valid, its context is NULL or valid; `commitmsg` is NULL
 * or NUL-terminated.
 */
gcry_error_t otrl_auth_handle_commit(OtrlAuthInfo *auth,
                                     const char *commitmsg,
                                     int version);

/**
 * Handles a D-H Key. `*havemsgp` becomes 1 if `lastauthmsg` has to be sent,
 * otherwise 0.
 *
 * The caller promises:
 * `auth` is NULL or valid, its context is NULL or valid; `keymsg` is NULL or
 * NUL-terminated; `havemsgp` is NULL or valid; `privkey` is NULL or a valid
 * key.
 */
gcry_error_t otrl_auth_handle_key(OtrlAuthInfo *auth,
                                  const char *keymsg,
                                  int *havemsgp,
                                  OtrlPrivKey *privkey);

/**
 * Handles a Reveal Signature. If it ends the exchange, `auth_succeeded` is
 * called with `asdata`, `lastauthmsg` has to be sent, and `*havemsgp` becomes
 * 1, otherwise 0. What `auth_succeeded` returns is returned.
 *
 * The caller promises:
 * As for `otrl_auth_handle_key`, with `revealmsg` in place of `keymsg`.
 */
gcry_error_t otrl_auth_handle_revealsig(OtrlAuthInfo *auth,
                                        const char *revealmsg,
                                        int *havemsgp,
                                        OtrlPrivKey *privkey,
                                        gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth,
                                                                       void *asdata),
                                        void *asdata);

/**
 * Handles a Signature. If it ends the exchange, `auth_succeeded` is called
 * with `asdata`; what it returns is returned. There is nothing to be sent, so
 * `*havemsgp` becomes 0.
 *
 * The caller promises:
 * As for `otrl_auth_handle_key`, with `sigmsg` in place of `keymsg`.
 */
gcry_error_t otrl_auth_handle_signature(OtrlAuthInfo *auth,
                                        const char *sigmsg,
                                        int *havemsgp,
                                        gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth,
                                                                       void *asdata),
                                        void *asdata);

/**
 * Begins a key exchange of version 1. `lastauthmsg` is then the message that
 * has to be sent.
 *
 * `our_dh` and `our_keyid` are a D-H key that is to be used again and its
 * number; `our_dh` may be NULL.
 *
 * The caller promises:
 * `auth` is NULL or valid; `our_dh` is NULL or valid and holds NULL or numbers
 * of libgcrypt; `privkey` is NULL or a valid key.
 */
gcry_error_t otrl_auth_start_v1(OtrlAuthInfo *auth,
                                DH_keypair *our_dh,
                                unsigned int our_keyid,
                                OtrlPrivKey *privkey);

/**
 * Handles a Key Exchange of version 1. If it ends the exchange,
 * `auth_succeeded` is called with `asdata`, and what it returns is returned.
 * `*havemsgp` becomes 1 if `lastauthmsg` has to be sent, otherwise 0.
 *
 * The caller promises:
 * As for `otrl_auth_start_v1` and `otrl_auth_handle_key`.
 */
gcry_error_t otrl_auth_handle_v1_key_exchange(OtrlAuthInfo *auth,
                                              const char *keyexchmsg,
                                              int *havemsgp,
                                              OtrlPrivKey *privkey,
                                              DH_keypair *our_dh,
                                              unsigned int our_keyid,
                                              gcry_error_t (*auth_succeeded)(const OtrlAuthInfo *auth,
                                                                             void *asdata),
                                              void *asdata);

/**
 * Lets `auth`, the exchange with one instance of the peer, take over the D-H
 * Commit of `m_auth`, the exchange of the master context, which a D-H Key of
 * that instance is about to answer.
 *
 * The caller promises:
 * Both are NULL or valid.
 */
void otrl_auth_copy_on_key(OtrlAuthInfo *m_auth, OtrlAuthInfo *auth);

#ifdef __cplusplus
}
#endif

#endif  /* __AUTH_H__ */
