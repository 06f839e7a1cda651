/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __SM_H__
#define __SM_H__

#include <gcrypt.h>

/*
 * The hash that the comparison of secrets uses.
 */
#define SM_HASH_ALGORITHM GCRY_MD_SHA256

/**
 * The length of a SHA-256 hash in bytes.
 */
#define SM_DIGEST_SIZE 32

/**
 * The message of the comparison that may come next.
 */
typedef enum {
    /**
     * The first: no comparison is going on.
     */
    OTRL_SMP_EXPECT1,
    /**
     * The second.
     */
    OTRL_SMP_EXPECT2,
    /**
     * The third.
     */
    OTRL_SMP_EXPECT3,
    /**
     * The fourth.
     */
    OTRL_SMP_EXPECT4,
    /**
     * None.
     */
    OTRL_SMP_EXPECT5
} NextExpectedSMP;

/**
 * How a comparison stands.
 */
typedef enum {
    /**
     * Nothing is wrong so far.
     */
    OTRL_SMP_PROG_OK = 0,
    /**
     * The peer does not follow the protocol.
     */
    OTRL_SMP_PROG_CHEATED = -2,
    /**
     * The secrets differ.
     */
    OTRL_SMP_PROG_FAILED = -1,
    /**
     * The secrets are equal.
     */
    OTRL_SMP_PROG_SUCCEEDED = 1
} OtrlSMProgState;

/**
 * How far a comparison of secrets has come.
 */
typedef struct {
    /**
     * Our secret; NULL as long as no comparison was begun.
     */
    gcry_mpi_t secret;
    /**
     * Our exponent for g2.
     */
    gcry_mpi_t x2;
    /**
     * Our exponent for g3.
     */
    gcry_mpi_t x3;
    /**
     * The generator of the group.
     */
    gcry_mpi_t g1;
    /**
     * The generator for the comparison.
     */
    gcry_mpi_t g2;
    /**
     * The generator for its last part.
     */
    gcry_mpi_t g3;
    /**
     * Their share of g3.
     */
    gcry_mpi_t g3o;
    /**
     * Our P.
     */
    gcry_mpi_t p;
    /**
     * Our Q.
     */
    gcry_mpi_t q;
    /**
     * Pa divided by Pb.
     */
    gcry_mpi_t pab;
    /**
     * Qa divided by Qb.
     */
    gcry_mpi_t qab;
    /**
     * The message that may come next.
     */
    NextExpectedSMP nextExpected;
    /**
     * Whether the peer asked a question.
     */
    int received_question;
    /**
     * How the comparison stands.
     */
    OtrlSMProgState sm_prog_state;
} OtrlSMState;

/**
 * The state of the side that begins.
 */
typedef OtrlSMState OtrlSMAliceState;

/**
 * The state of the side that answers.
 */
typedef OtrlSMState OtrlSMBobState;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a state blank. What it held is not released.
 *
 * The caller promises:
 * `smst` is NULL or valid.
 */
void otrl_sm_state_new(OtrlSMState *smst);

/**
 * Releases what a state holds and makes it blank. The structure itself
 * remains and can be used again.
 *
 * The caller promises:
 * `smst` is NULL or valid and holds NULL or numbers of libgcrypt.
 */
void otrl_sm_state_free(OtrlSMState *smst);

/**
 * Prepares this part of the library. There is nothing to prepare any more.
 */
void otrl_sm_init(void);

/**
 * Releases what a state holds and gives it the numbers of a fresh one.
 *
 * The caller promises:
 * As for `otrl_sm_state_free`.
 */
void otrl_sm_state_init(OtrlSMState *smst);

/**
 * Begins a comparison: makes message 1. `*output` becomes a buffer from
 * `malloc`, `*outputlen` its length; on an error they are NULL and 0.
 *
 * The caller promises:
 * `astate` is NULL or valid and holds NULL or numbers of libgcrypt; `secret`
 * is NULL or has `secretlen` bytes; `output` and `outputlen` are NULL or
 * valid.
 */
gcry_error_t otrl_sm_step1(OtrlSMAliceState *astate,
                           const unsigned char *secret,
                           int secretlen,
                           unsigned char **output,
                           int *outputlen);

/**
 * Receives message 1: the user has to be asked for the secret, and
 * `otrl_sm_step2b` answers. `received_question` says whether a question came
 * with the message; it is not part of `input`.
 *
 * The caller promises:
 * `bstate` is NULL or valid and holds NULL or numbers of libgcrypt; `input` is
 * NULL or has `inputlen` bytes.
 */
gcry_error_t otrl_sm_step2a(OtrlSMBobState *bstate,
                            const unsigned char *input,
                            int inputlen,
                            int received_question);

/**
 * Answers message 1: makes message 2. `*output` and `*outputlen` as for
 * `otrl_sm_step1`.
 *
 * The caller promises:
 * As for `otrl_sm_step1`.
 */
gcry_error_t otrl_sm_step2b(OtrlSMBobState *bstate,
                            const unsigned char *secret,
                            int secretlen,
                            unsigned char **output,
                            int *outputlen);

/**
 * Receives message 2: makes message 3. `*output` and `*outputlen` as for
 * `otrl_sm_step1`.
 *
 * The caller promises:
 * As for `otrl_sm_step1`, with `input` in place of `secret`.
 */
gcry_error_t otrl_sm_step3(OtrlSMAliceState *astate,
                           const unsigned char *input,
                           int inputlen,
                           unsigned char **output,
                           int *outputlen);

/**
 * Receives message 3: makes message 4 and ends the comparison. Returns 0 if
 * the secrets are equal, and an error if they differ or the message is wrong;
 * `sm_prog_state` tells which. `*output` and `*outputlen` as for
 * `otrl_sm_step1`; there is a message if the secrets differ, too.
 *
 * The caller promises:
 * As for `otrl_sm_step3`.
 */
gcry_error_t otrl_sm_step4(OtrlSMBobState *bstate,
                           const unsigned char *input,
                           int inputlen,
                           unsigned char **output,
                           int *outputlen);

/**
 * Receives message 4 and ends the comparison. Returns 0 if the secrets are
 * equal, and an error if they differ or the message is wrong; `sm_prog_state`
 * tells which.
 *
 * The caller promises:
 * `astate` is NULL or valid and holds NULL or numbers of libgcrypt; `input` is
 * NULL or has `inputlen` bytes.
 */
gcry_error_t otrl_sm_step5(OtrlSMAliceState *astate,
                           const unsigned char *input,
                           int inputlen);

#ifdef __cplusplus
}
#endif

#endif  /* __SM_H__ */
