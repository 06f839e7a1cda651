/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __PRIVKEY_T_H__
#define __PRIVKEY_T_H__

#include <gcrypt.h>

/**
 * The only kind of key that OTR has.
 */
#define OTRL_PUBKEY_TYPE_DSA 0

/**
 * The private key of one of our accounts.
 */
struct s_OtrlPrivKey {
    /**
     * The next one in the list, or NULL.
     */
    struct s_OtrlPrivKey *next;
    /**
     * The pointer that points here.
     */
    struct s_OtrlPrivKey **tous;
    /**
     * The account, from `malloc`.
     */
    char *accountname;
    /**
     * Its chat protocol, from `malloc`.
     */
    char *protocol;
    /**
     * The kind of key: `OTRL_PUBKEY_TYPE_DSA`.
     */
    unsigned short pubkey_type;
    /**
     * The key as an S-expression; NULL in a process without libgcrypt.
     */
    gcry_sexp_t privkey;
    /**
     * The public key: p, q, g and y as MPIs, from `malloc`.
     */
    unsigned char *pubkey_data;
    /**
     * The length of `pubkey_data` in bytes.
     */
    size_t pubkey_datalen;
};

/**
 * The private key of one of our accounts.
 */
typedef struct s_OtrlPrivKey OtrlPrivKey;

/**
 * An account whose key is being generated, perhaps in the background.
 */
struct s_OtrlPendingPrivKey {
    /**
     * The next one in the list, or NULL.
     */
    struct s_OtrlPendingPrivKey *next;
    /**
     * The pointer that points here.
     */
    struct s_OtrlPendingPrivKey **tous;
    /**
     * The account, from `malloc`.
     */
    char *accountname;
    /**
     * Its chat protocol, from `malloc`.
     */
    char *protocol;
};

/**
 * An account whose key is being generated.
 */
typedef struct s_OtrlPendingPrivKey OtrlPendingPrivKey;

#endif  /* __PRIVKEY_T_H__ */
