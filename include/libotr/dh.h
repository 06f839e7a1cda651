/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __DH_H__
#define __DH_H__

#include <gcrypt.h>

/**
 * The group that OTR uses: 1536 bits, generator 2.
 */
#define DH1536_GROUP_ID 5

/**
 * The length of the extra symmetric key in bytes.
 */
#define OTRL_EXTRAKEY_BYTES 32

/**
 * Which half of a session id to show in bold type.
 */
typedef enum {
    /**
     * The first half.
     */
    OTRL_SESSIONID_FIRST_HALF_BOLD,
    /**
     * The second half.
     */
    OTRL_SESSIONID_SECOND_HALF_BOLD
} OtrlSessionIdHalf;

/**
 * A D-H key pair.
 */
typedef struct {
    /**
     * The group: `DH1536_GROUP_ID`, or 0 in an empty key pair.
     */
    unsigned int groupid;
    /**
     * The private exponent.
     */
    gcry_mpi_t priv;
    /**
     * The public key.
     */
    gcry_mpi_t pub;
} DH_keypair;

/**
 * The keys that follow from one of our keys and one of theirs.
 */
typedef struct {
    /**
     * The counter of the message sent last.
     */
    unsigned char sendctr[16];
    /**
     * The counter of the message received last.
     */
    unsigned char rcvctr[16];
    /**
     * The cipher for sending.
     */
    gcry_cipher_hd_t sendenc;
    /**
     * The cipher for receiving.
     */
    gcry_cipher_hd_t rcvenc;
    /**
     * The authenticator for sending.
     */
    gcry_md_hd_t sendmac;
    /**
     * Its key.
     */
    unsigned char sendmackey[20];
    /**
     * Whether that key has been used.
     */
    int sendmacused;
    /**
     * The authenticator for receiving.
     */
    gcry_md_hd_t rcvmac;
    /**
     * Its key.
     */
    unsigned char rcvmackey[20];
    /**
     * Whether that key has verified a message.
     */
    int rcvmacused;
    /**
     * The extra symmetric key.
     */
    unsigned char extrakey[OTRL_EXTRAKEY_BYTES];
} DH_sesskeys;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prepares this part of the library. There is nothing to prepare any more.
 */
void otrl_dh_init(void);

/**
 * Makes a key pair empty. What it held is not released.
 *
 * The caller promises:
 * `kp` is NULL or valid.
 */
void otrl_dh_keypair_init(DH_keypair *kp);

/**
 * Makes `dst` an independent copy of `src`. What `dst` held is not released.
 *
 * The caller promises:
 * Both are NULL or valid, and `src` holds NULL or numbers of libgcrypt.
 */
void otrl_dh_keypair_copy(DH_keypair *dst, const DH_keypair *src);

/**
 * Releases the numbers of a key pair.
 *
 * The caller promises:
 * `kp` is NULL or valid and holds NULL or numbers of libgcrypt.
 */
void otrl_dh_keypair_free(DH_keypair *kp);

/**
 * Makes a key pair in the group `groupid`, which must be `DH1536_GROUP_ID`.
 * What `kp` held is not released.
 *
 * The caller promises:
 * `kp` is NULL or valid.
 */
gcry_error_t otrl_dh_gen_keypair(unsigned int groupid, DH_keypair *kp);

/**
 * Derives session keys from our key pair and their public key. What `sess`
 * held is not released; on an error it is blank.
 *
 * The caller promises:
 * `sess` and `kp` are NULL or valid; `kp` and `y` hold NULL or numbers of
 * libgcrypt.
 */
gcry_error_t otrl_dh_session(DH_sesskeys *sess,
                             const DH_keypair *kp,
                             gcry_mpi_t y);

/**
 * Derives the keys of a key exchange of version 2 or 3: the session id of 8
 * bytes, its length, two ciphers and four authenticators. What the pointers
 * held is not released; on an error they are NULL.
 *
 * The caller promises:
 * `our_dh` is NULL or valid; it and `their_pub` hold NULL or numbers of
 * libgcrypt. `sessionid` is NULL or has room for 8 bytes, the other pointers
 * are NULL or valid.
 */
gcry_error_t otrl_dh_compute_v2_auth_keys(const DH_keypair *our_dh,
                                          gcry_mpi_t their_pub,
                                          unsigned char *sessionid,
                                          size_t *sessionidlenp,
                                          gcry_cipher_hd_t *enc_c,
                                          gcry_cipher_hd_t *enc_cp,
                                          gcry_md_hd_t *mac_m1,
                                          gcry_md_hd_t *mac_m1p,
                                          gcry_md_hd_t *mac_m2,
                                          gcry_md_hd_t *mac_m2p);

/**
 * Derives the session id of a version 1 key exchange: 20 bytes, their number,
 * and which half to show in bold type.
 *
 * The caller promises:
 * `our_dh` is NULL or valid; it and `their_pub` hold NULL or numbers of
 * libgcrypt. `sessionid` is NULL or has room for 20 bytes, the other pointers
 * are NULL or valid.
 */
gcry_error_t otrl_dh_compute_v1_session_id(const DH_keypair *our_dh,
                                           gcry_mpi_t their_pub,
                                           unsigned char *sessionid,
                                           size_t *sessionidlenp,
                                           OtrlSessionIdHalf *halfp);

/**
 * Releases the ciphers and authenticators of session keys and wipes them.
 *
 * The caller promises:
 * `sess` is NULL or valid and holds NULL or objects of libgcrypt.
 */
void otrl_dh_session_free(DH_sesskeys *sess);

/**
 * Wipes session keys. What they held is not released.
 *
 * The caller promises:
 * `sess` is NULL or valid.
 */
void otrl_dh_session_blank(DH_sesskeys *sess);

/**
 * Adds 1 to the upper 8 bytes of a counter, a big-endian number.
 *
 * The caller promises:
 * `ctr` is NULL or has 8 bytes.
 */
void otrl_dh_incctr(unsigned char *ctr);

/**
 * Compares the upper 8 bytes of two counters: 0 if they are equal, negative
 * if the first is smaller, positive if it is larger.
 *
 * The caller promises:
 * Both are NULL or have 8 bytes.
 */
int otrl_dh_cmpctr(const unsigned char *ctr1, const unsigned char *ctr2);

#ifdef __cplusplus
}
#endif

#endif  /* __DH_H__ */
