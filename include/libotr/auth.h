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

#ifdef __cplusplus
}
#endif

#endif  /* __AUTH_H__ */
