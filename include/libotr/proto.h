/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __PROTO_H__
#define __PROTO_H__

#include <stdlib.h>

#include "context.h"
#include "version.h"
#include "tlv.h"

/*
 * The white space that offers OTR: the first, then one for each version.
 */
#define OTRL_MESSAGE_TAG_BASE " \t  \t\t\t\t \t \t \t  "
#define OTRL_MESSAGE_TAG_V1 " \t \t  \t "
#define OTRL_MESSAGE_TAG_V2 "  \t\t  \t "
#define OTRL_MESSAGE_TAG_V3 "  \t\t  \t\t"

/**
 * In a data message: no answer is expected if it cannot be read.
 */
#define OTRL_MSGFLAGS_IGNORE_UNREADABLE 1

/**
 * Speak version 1.
 */
#define OTRL_POLICY_ALLOW_V1 1

/**
 * Speak version 2.
 */
#define OTRL_POLICY_ALLOW_V2 2

/**
 * Speak version 3.
 */
#define OTRL_POLICY_ALLOW_V3 4

/**
 * Send nothing that is not encrypted.
 */
#define OTRL_POLICY_REQUIRE_ENCRYPTION 8

/**
 * Offer OTR by white space at the end of messages.
 */
#define OTRL_POLICY_SEND_WHITESPACE_TAG 16

/**
 * Begin a private conversation on such an offer.
 */
#define OTRL_POLICY_WHITESPACE_START_AKE 32

/**
 * Begin a private conversation on an OTR error message.
 */
#define OTRL_POLICY_ERROR_START_AKE 64

/**
 * The bits that allow a version.
 */
#define OTRL_POLICY_VERSION_MASK ((OTRL_POLICY_ALLOW_V1 | OTRL_POLICY_ALLOW_V2) | OTRL_POLICY_ALLOW_V3)

/**
 * The length of the shortest message header.
 */
#define OTRL_HEADER_LEN 3

/**
 * The length of that header in base64.
 */
#define OTRL_B64_HEADER_LEN 4

/**
 * No OTR at all.
 */
#define OTRL_POLICY_NEVER 0

/**
 * OTR whenever the correspondent can do it.
 */
#define OTRL_POLICY_OPPORTUNISTIC ((((OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3) | OTRL_POLICY_SEND_WHITESPACE_TAG) | OTRL_POLICY_WHITESPACE_START_AKE) | OTRL_POLICY_ERROR_START_AKE)

/**
 * OTR when one of the two asks for it.
 */
#define OTRL_POLICY_MANUAL (OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3)

/**
 * Nothing but OTR.
 */
#define OTRL_POLICY_ALWAYS ((((OTRL_POLICY_ALLOW_V2 | OTRL_POLICY_ALLOW_V3) | OTRL_POLICY_REQUIRE_ENCRYPTION) | OTRL_POLICY_WHITESPACE_START_AKE) | OTRL_POLICY_ERROR_START_AKE)

/**
 * What applies where the application has no opinion.
 */
#define OTRL_POLICY_DEFAULT OTRL_POLICY_OPPORTUNISTIC

/**
 * What a text is to OTR.
 */
typedef enum {
    /**
     * An ordinary message.
     */
    OTRL_MSGTYPE_NOTOTR,
    /**
     * An ordinary message with an offer in white space.
     */
    OTRL_MSGTYPE_TAGGEDPLAINTEXT,
    /**
     * A request for a private conversation.
     */
    OTRL_MSGTYPE_QUERY,
    /**
     * First message of the key exchange.
     */
    OTRL_MSGTYPE_DH_COMMIT,
    /**
     * Second message of the key exchange.
     */
    OTRL_MSGTYPE_DH_KEY,
    /**
     * Third message of the key exchange.
     */
    OTRL_MSGTYPE_REVEALSIG,
    /**
     * Fourth message of the key exchange.
     */
    OTRL_MSGTYPE_SIGNATURE,
    /**
     * Key exchange of version 1.
     */
    OTRL_MSGTYPE_V1_KEYEXCH,
    /**
     * An encrypted message.
     */
    OTRL_MSGTYPE_DATA,
    /**
     * An error that the other side reports.
     */
    OTRL_MSGTYPE_ERROR,
    /**
     * Something of OTR that is none of these.
     */
    OTRL_MSGTYPE_UNKNOWN
} OtrlMessageType;

/**
 * What became of a text that might be a piece of a message.
 */
typedef enum {
    /**
     * It is not a piece but a whole message.
     */
    OTRL_FRAGMENT_UNFRAGMENTED,
    /**
     * Pieces are still missing.
     */
    OTRL_FRAGMENT_INCOMPLETE,
    /**
     * It was the last piece.
     */
    OTRL_FRAGMENT_COMPLETE
} OtrlFragmentResult;

/**
 * What to do with a message that must be cut into pieces.
 */
typedef enum {
    /**
     * Hand it back as it is.
     */
    OTRL_FRAGMENT_SEND_SKIP,
    /**
     * Cut it and inject all pieces.
     */
    OTRL_FRAGMENT_SEND_ALL,
    /**
     * Cut it, hand back the first piece and inject the others.
     */
    OTRL_FRAGMENT_SEND_ALL_BUT_FIRST,
    /**
     * Cut it, hand back the last piece and inject the others.
     */
    OTRL_FRAGMENT_SEND_ALL_BUT_LAST
} OtrlFragmentPolicy;

/**
 * A set of `OTRL_POLICY_` bits.
 */
typedef unsigned int OtrlPolicy;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prepares the library for a program that was made for this version of it.
 * Must be called before everything else; may be called again.
 *
 * Returns 0, or an error (and a line on the standard error stream) if the
 * program was made for a version that this library is not.
 */
gcry_error_t otrl_init(unsigned int ver_major,
                       unsigned int ver_minor,
                       unsigned int ver_sub);

/**
 * The version of the interface as a string that must not be released.
 */
const char *otrl_version(void);

/**
 * Makes a message that asks for a private conversation, with an explanation
 * for correspondents without OTR. `ourname` is put into it as it is.
 *
 * Returns a string from `malloc`, or NULL without memory or name.
 *
 * The caller promises:
 * `ourname` is NULL or NUL-terminated.
 */
char *otrl_proto_default_query_msg(const char *ourname, OtrlPolicy policy);

/**
 * The highest version that a query message offers and the policy allows; 0 if
 * there is none.
 *
 * The caller promises:
 * `querymsg` is NULL or NUL-terminated.
 */
unsigned int otrl_proto_query_bestversion(const char *querymsg,
                                          OtrlPolicy policy);

/**
 * The highest version that a message offers in white space and the policy
 * allows; 0 if there is none. `*starttagp` and `*endtagp` become the beginning
 * and the end of that white space in the message, or NULL.
 *
 * The caller promises:
 * `msg` is NULL or NUL-terminated; the other pointers are NULL or valid.
 */
unsigned int otrl_proto_whitespace_bestversion(const char *msg,
                                               const char **starttagp,
                                               const char **endtagp,
                                               OtrlPolicy policy);

/**
 * What a text is to OTR.
 *
 * The caller promises:
 * `message` is NULL or NUL-terminated.
 */
OtrlMessageType otrl_proto_message_type(const char *message);

/**
 * The version of an encoded message: 1, 2 or 3; 0 for other texts.
 *
 * The caller promises:
 * `message` is NULL or NUL-terminated.
 */
int otrl_proto_message_version(const char *message);

/**
 * Reads the instance tags of an encoded version 3 message, which must begin
 * the text. On an error nothing is written, except the sender's tag if only
 * the receiver's is missing.
 *
 * The caller promises:
 * `otrmsg` is NULL or NUL-terminated; the other pointers are NULL or valid.
 */
gcry_error_t otrl_proto_instance(const char *otrmsg,
                                 unsigned int *instance_from,
                                 unsigned int *instance_to);

/**
 * Encrypts a text and a chain of records into a data message with `flags`.
 * `*encmessagep` becomes a string from `malloc`, or NULL on an error;
 * `extrakey`, if not NULL, receives the extra symmetric key of
 * `OTRL_EXTRAKEY_BYTES` bytes.
 *
 * The caller promises:
 * `context` is NULL or a valid context, `msg` is NULL or NUL-terminated, `tlvs`
 * is NULL or a valid record, the others are NULL or valid.
 */
gcry_error_t otrl_proto_create_data(char **encmessagep,
                                    ConnContext *context,
                                    const char *msg,
                                    const OtrlTLV *tlvs,
                                    unsigned char flags,
                                    unsigned char *extrakey);

/**
 * Decrypts a data message. `*plaintextp` becomes a string from `malloc`,
 * `*tlvsp` a chain of records, `*flagsp` the message's flags, even on an
 * error; `extrakey` receives the extra symmetric key of `OTRL_EXTRAKEY_BYTES`
 * bytes. Except for `plaintextp` all may be NULL.
 *
 * The caller promises:
 * `context` is NULL or a valid context, `datamsg` is NULL or NUL-terminated,
 * the others are NULL or valid.
 */
gcry_error_t otrl_proto_accept_data(char **plaintextp,
                                    OtrlTLV **tlvsp,
                                    ConnContext *context,
                                    const char *datamsg,
                                    unsigned char *flagsp,
                                    unsigned char *extrakey);

/**
 * Takes a text that may be a piece of a message. With the last piece,
 * `*unfragmessagep` becomes the whole message, a string from `malloc`.
 *
 * The caller promises:
 * `context` is NULL or a valid context, `msg` is NULL or NUL-terminated,
 * `unfragmessagep` is NULL or valid.
 */
OtrlFragmentResult otrl_proto_fragment_accumulate(char **unfragmessagep,
                                                  ConnContext *context,
                                                  const char *msg);

/**
 * Reads the flags of a data message that cannot be read otherwise. On an
 * error they are 0.
 *
 * The caller promises:
 * `datamsg` is NULL or NUL-terminated; `flagsp` is NULL or valid.
 */
gcry_error_t otrl_proto_data_read_flags(const char *datamsg,
                                        unsigned char *flagsp);

/**
 * Cuts a message into `fragment_count` pieces of less than `mms` bytes, in the
 * form of the context's version. `*fragments` becomes an array from `malloc`
 * of strings from `malloc`.
 *
 * Compatibility: the count is obeyed even if the message needs another. Too
 * few pieces leave off its end, surplus ones are empty.
 *
 * Returns an error, and leaves `*fragments` alone, if the count is not from 1
 * to 65535, or if `mms` leaves no room for text.
 *
 * The caller promises:
 * `fragments` is NULL or valid, `context` is NULL or a valid context,
 * `message` is NULL or NUL-terminated.
 */
gcry_error_t otrl_proto_fragment_create(int mms,
                                        int fragment_count,
                                        char ***fragments,
                                        ConnContext *context,
                                        const char *message);

/**
 * Releases `arraylen` pieces and their array.
 *
 * The caller promises:
 * `fragments` is NULL or points to what `otrl_proto_fragment_create` has made
 * with `arraylen` pieces, which are not used any more.
 */
void otrl_proto_fragment_free(char ***fragments, unsigned short arraylen);

#ifdef __cplusplus
}
#endif

#endif  /* __PROTO_H__ */

/*
 * Calls otrl_init() and ends the program if that fails.
 */
#define OTRL_INIT do { \
        if (otrl_init(OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, \
                OTRL_VERSION_SUB)) { \
            exit(1); \
        } \
    } while (0)
