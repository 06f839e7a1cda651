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
 * Replaces the keys of a user state by those in a file. On an error, the keys
 * stay as they were.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated;
 * the user state's keys are not used any more.
 */
gcry_error_t otrl_privkey_read(OtrlUserState us, const char *filename);

/**
 * The same from an open stream. Does nothing without one.
 *
 * The caller promises:
 * As for `otrl_privkey_read`; `privf` is NULL or an open stream.
 */
gcry_error_t otrl_privkey_read_FILEp(OtrlUserState us, FILE *privf);

/**
 * Begins to generate a key for an account. `*newkeyp` becomes a handle for the
 * functions below, or NULL; `otrl_privkey_generate_finish` or
 * `otrl_privkey_generate_cancelled` releases it.
 *
 * Returns an error if a key for the account is being generated already.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, the names are NULL or NUL-terminated,
 * `newkeyp` is NULL or valid.
 */
gcry_error_t otrl_privkey_generate_start(OtrlUserState us,
                                         const char *accountname,
                                         const char *protocol,
                                         void **newkeyp);

/**
 * Generates the key. May be called in any thread, and takes some time.
 *
 * The caller promises:
 * None; a handle that is not valid gives an error.
 */
gcry_error_t otrl_privkey_generate_calculate(void *newkey);

/**
 * Writes the keys of the user state and the new one to a file, which only its
 * owner can read; the new key is then one of the user state's. All keys of
 * the user state have new addresses. Must not be called while another thread
 * uses the user state.
 *
 * On an error, nothing has changed and the handle remains valid; only without
 * a user state it is released.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
 */
gcry_error_t otrl_privkey_generate_finish(OtrlUserState us,
                                          void *newkey,
                                          const char *filename);

/**
 * The same to an open stream, at its present position. Without one the
 * handle is released.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `privf` is NULL or an open stream.
 */
gcry_error_t otrl_privkey_generate_finish_FILEp(OtrlUserState us,
                                                void *newkey,
                                                FILE *privf);

/**
 * Releases the handle of a key that is not wanted any more. The calculation
 * may still be going on.
 *
 * The caller promises:
 * `us` is NULL or a valid user state.
 */
void otrl_privkey_generate_cancelled(OtrlUserState us, void *newkey);

/**
 * Generates a key for an account, which takes some time, and writes the keys
 * of the user state and this one to a file, which only its owner can read.
 * All keys of the user state have new addresses.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, the others are NULL or NUL-terminated.
 */
gcry_error_t otrl_privkey_generate(OtrlUserState us,
                                   const char *filename,
                                   const char *accountname,
                                   const char *protocol);

/**
 * The same to an open stream, at its present position.
 *
 * The caller promises:
 * As for `otrl_privkey_generate`; `privf` is NULL or an open stream.
 */
gcry_error_t otrl_privkey_generate_FILEp(OtrlUserState us,
                                         FILE *privf,
                                         const char *accountname,
                                         const char *protocol);

/**
 * Adds the fingerprints in a file to the contexts of a user state. Contexts
 * that are missing are made, and `add_app_data`, if not NULL, is called with
 * `data` and each of them. Lines that are no fingerprints are skipped.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
 */
gcry_error_t otrl_privkey_read_fingerprints(OtrlUserState us,
                                            const char *filename,
                                            void (*add_app_data)(void *data,
                                                                 ConnContext *context),
                                            void *data);

/**
 * The same from an open stream. Does nothing without one.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `storef` is NULL or an open stream.
 */
gcry_error_t otrl_privkey_read_fingerprints_FILEp(OtrlUserState us,
                                                  FILE *storef,
                                                  void (*add_app_data)(void *data,
                                                                       ConnContext *context),
                                                  void *data);

/**
 * Writes the fingerprints of all contexts of a user state to a file, which
 * only its owner can read.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
 */
gcry_error_t otrl_privkey_write_fingerprints(OtrlUserState us,
                                             const char *filename);

/**
 * The same to an open stream. Does nothing without one.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `storef` is NULL or an open stream.
 */
gcry_error_t otrl_privkey_write_fingerprints_FILEp(OtrlUserState us,
                                                   FILE *storef);

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
