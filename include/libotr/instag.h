/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __INSTAG_H__
#define __INSTAG_H__

#include <errno.h>
#include <stdio.h>

#include <gcrypt.h>

typedef struct s_OtrlUserState *OtrlUserState;

/**
 * Names a master context.
 */
#define OTRL_INSTAG_MASTER 0

/**
 * Names the most secure conversation with a correspondent: by state, then
 * by trust, then by the time of the last message.
 */
#define OTRL_INSTAG_BEST 1

/**
 * Names the conversation that was used last.
 */
#define OTRL_INSTAG_RECENT 2

/**
 * Names the conversation in which something was received last.
 */
#define OTRL_INSTAG_RECENT_RECEIVED 3

/**
 * Names the conversation in which something was sent last.
 */
#define OTRL_INSTAG_RECENT_SENT 4

/**
 * The smallest number that is a real instance tag.
 */
#define OTRL_MIN_VALID_INSTAG 256

/**
 * An instance tag, or one of the names above.
 */
typedef unsigned int otrl_instag_t;

/**
 * The instance tag of one of our accounts.
 */
struct s_OtrlInsTag {
    /**
     * The next one in the list, or NULL.
     */
    struct s_OtrlInsTag *next;
    /**
     * The pointer that points here.
     */
    struct s_OtrlInsTag **tous;
    /**
     * The account, from `malloc`.
     */
    char *accountname;
    /**
     * Its chat protocol, from `malloc`.
     */
    char *protocol;
    /**
     * The tag.
     */
    otrl_instag_t instag;
};

/**
 * The instance tag of one of our accounts.
 */
typedef struct s_OtrlInsTag OtrlInsTag;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Forgets an instance tag.
 *
 * The caller promises:
 * `instag` is NULL or a valid instance tag that is not used any more.
 */
void otrl_instag_forget(OtrlInsTag *instag);

/**
 * Forgets all instance tags of a user state.
 *
 * The caller promises:
 * `us` is NULL or a valid user state; its instance tags are not used any
 * more.
 */
void otrl_instag_forget_all(OtrlUserState us);

/**
 * The instance tag of an account, or NULL.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, the names are NULL or NUL-terminated.
 */
OtrlInsTag *otrl_instag_find(OtrlUserState us,
                             const char *accountname,
                             const char *protocol);

/**
 * Adds the instance tags in a file to those of a user state. Lines that are
 * none are skipped.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
 */
gcry_error_t otrl_instag_read(OtrlUserState us, const char *filename);

/**
 * The same from an open stream. Does nothing without one.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `instf` is NULL or an open stream.
 */
gcry_error_t otrl_instag_read_FILEp(OtrlUserState us, FILE *instf);

/**
 * A new random instance tag; 0 if the system's random source fails.
 */
otrl_instag_t otrl_instag_get_new(void);

/**
 * Makes a new instance tag for an account and writes all of them to a file,
 * which only its owner can read.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, the others are NULL or NUL-terminated.
 */
gcry_error_t otrl_instag_generate(OtrlUserState us,
                                  const char *filename,
                                  const char *accountname,
                                  const char *protocol);

/**
 * The same to an open stream. Does nothing without account or protocol.
 *
 * The caller promises:
 * As for `otrl_instag_generate`; `instf` is NULL or an open stream.
 */
gcry_error_t otrl_instag_generate_FILEp(OtrlUserState us,
                                        FILE *instf,
                                        const char *accountname,
                                        const char *protocol);

/**
 * Writes all instance tags of a user state to a file, which only its owner
 * can read.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `filename` is NULL or NUL-terminated.
 */
gcry_error_t otrl_instag_write(OtrlUserState us, const char *filename);

/**
 * The same to an open stream.
 *
 * The caller promises:
 * `us` is NULL or a valid user state, `instf` is NULL or an open stream.
 */
gcry_error_t otrl_instag_write_FILEp(OtrlUserState us, FILE *instf);

#ifdef __cplusplus
}
#endif

#endif  /* __INSTAG_H__ */

#include "userstate.h"
