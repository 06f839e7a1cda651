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
