/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __PRIVKEY_H__
#define __PRIVKEY_H__

#include <stdio.h>

#include "privkey-t.h"
#include "userstate.h"

/**
 * The size of a buffer for a fingerprint in readable form: five groups of
 * eight hexadecimal digits, blanks between them, and a NUL.
 */
#define OTRL_PRIVKEY_FPRINT_HUMAN_LEN 45

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes 20 bytes in readable form.
 *
 * The caller promises:
 * `human` is NULL or has room for `OTRL_PRIVKEY_FPRINT_HUMAN_LEN` bytes,
 * `hash` is NULL or has 20 bytes.
 */
void otrl_privkey_hash_to_human(char human[OTRL_PRIVKEY_FPRINT_HUMAN_LEN],
                                const unsigned char hash[20]);

/**
 * Writes the fingerprint of an account's key in readable form. Returns
 * `fingerprint`, or NULL if there is no key.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `fingerprint` is NULL or has room for
 * `OTRL_PRIVKEY_FPRINT_HUMAN_LEN` bytes, the names are NULL or
 * NUL-terminated.
 */
char *otrl_privkey_fingerprint(OtrlUserState us,
                               char fingerprint[OTRL_PRIVKEY_FPRINT_HUMAN_LEN],
                               const char *accountname,
                               const char *protocol);

/**
 * Writes the fingerprint of an account's key as 20 bytes. Returns `hash`, or
 * NULL if there is no key.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `hash` is NULL or has room for 20
 * bytes, the names are NULL or NUL-terminated.
 */
unsigned char *otrl_privkey_fingerprint_raw(OtrlUserState us,
                                            unsigned char hash[20],
                                            const char *accountname,
                                            const char *protocol);

/**
 * The key of an account, or NULL.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, the names are NULL or NUL-terminated.
 */
OtrlPrivKey *otrl_privkey_find(OtrlUserState us,
                               const char *accountname,
                               const char *protocol);

/**
 * Forgets a key.
 *
 * The caller promises:
 * `privkey` is NULL or a valid key that is not used any more.
 */
void otrl_privkey_forget(OtrlPrivKey *privkey);

/**
 * Forgets all keys of a user state.
 *
 * The caller promises:
 * `us` is NULL or a valid user state; its keys are not used any more.
 */
void otrl_privkey_forget_all(OtrlUserState us);

/**
 * Signs `len` bytes, read as a number and reduced modulo q. `*sigp` becomes
 * 40 bytes from `malloc`, `*siglenp` their number.
 *
 * The caller promises:
 * `sigp` and `siglenp` are NULL or valid, `privkey` is NULL or a valid key,
 * `data` is NULL or has `len` bytes.
 */
gcry_error_t otrl_privkey_sign(unsigned char **sigp,
                               size_t *siglenp,
                               OtrlPrivKey *privkey,
                               const unsigned char *data,
                               size_t len);

/**
 * Checks a signature of `len` bytes, read as a number and reduced modulo q.
 *
 * `pubs` is the public key as an S-expression; a private key will do.
 *
 * The caller promises:
 * `sigbuf` is NULL or has `siglen` bytes, `pubs` is NULL or an S-expression
 * of libgcrypt, `data` is NULL or has `len` bytes.
 */
gcry_error_t otrl_privkey_verify(const unsigned char *sigbuf,
                                 size_t siglen,
                                 unsigned short pubkey_type,
                                 gcry_sexp_t pubs,
                                 const unsigned char *data,
                                 size_t len);

/**
 * Forgets which keys are being generated. The generations themselves go on.
 *
 * The caller promises:
 * `us` is NULL or a valid user state.
 */
void otrl_privkey_pending_forget_all(OtrlUserState us);

#ifdef __cplusplus
}
#endif

#endif  /* __PRIVKEY_H__ */
