/* Off-the-Record Messaging. Licence: MIT or Apache-2.0, at your option. */

#ifndef __MESSAGE_H__
#define __MESSAGE_H__

#include "proto.h"
#include "context.h"
#include "userstate.h"
#include "tlv.h"

/*
 * What an error message begins with.
 */
#define OTR_ERROR_PREFIX "?OTR Error: "

/**
 * How urgent a notification is. Nothing uses it any more.
 */
typedef enum {
    /**
     * An error.
     */
    OTRL_NOTIFY_ERROR,
    /**
     * A warning.
     */
    OTRL_NOTIFY_WARNING,
    /**
     * Mere information.
     */
    OTRL_NOTIFY_INFO
} OtrlNotifyLevel;

/**
 * Which error message the other side is to be sent.
 */
typedef enum {
    /**
     * None.
     */
    OTRL_ERRCODE_NONE,
    /**
     * A message could not be encrypted.
     */
    OTRL_ERRCODE_ENCRYPTION_ERROR,
    /**
     * An encrypted message came although no conversation is private.
     */
    OTRL_ERRCODE_MSG_NOT_IN_PRIVATE,
    /**
     * An encrypted message could not be read.
     */
    OTRL_ERRCODE_MSG_UNREADABLE,
    /**
     * A message was malformed.
     */
    OTRL_ERRCODE_MSG_MALFORMED
} OtrlErrorCode;

/**
 * What has happened in a comparison of secrets.
 */
typedef enum {
    /**
     * Nothing.
     */
    OTRL_SMPEVENT_NONE,
    /**
     * A message came out of turn; the comparison should be aborted.
     */
    OTRL_SMPEVENT_ERROR,
    /**
     * The other side has aborted the comparison.
     */
    OTRL_SMPEVENT_ABORT,
    /**
     * The other side does not follow the protocol; the comparison should be
     * aborted.
     */
    OTRL_SMPEVENT_CHEATED,
    /**
     * The other side asks a question; its answer is the secret.
     */
    OTRL_SMPEVENT_ASK_FOR_ANSWER,
    /**
     * The other side wants to compare secrets.
     */
    OTRL_SMPEVENT_ASK_FOR_SECRET,
    /**
     * The comparison goes on.
     */
    OTRL_SMPEVENT_IN_PROGRESS,
    /**
     * The secrets are equal.
     */
    OTRL_SMPEVENT_SUCCESS,
    /**
     * The secrets differ.
     */
    OTRL_SMPEVENT_FAILURE
} OtrlSMPEvent;

/**
 * What has happened to a message.
 */
typedef enum {
    /**
     * Nothing.
     */
    OTRL_MSGEVENT_NONE,
    /**
     * The policy asks for encryption, and the conversation is not private
     * yet. The message is kept and a private conversation is requested.
     */
    OTRL_MSGEVENT_ENCRYPTION_REQUIRED,
    /**
     * A message could not be encrypted and was not sent.
     */
    OTRL_MSGEVENT_ENCRYPTION_ERROR,
    /**
     * The other side has ended the conversation; the message was not sent.
     */
    OTRL_MSGEVENT_CONNECTION_ENDED,
    /**
     * No private conversation could be set up; `err` says why.
     */
    OTRL_MSGEVENT_SETUP_ERROR,
    /**
     * Our own message came back.
     */
    OTRL_MSGEVENT_MSG_REFLECTED,
    /**
     * The last message was sent once more.
     */
    OTRL_MSGEVENT_MSG_RESENT,
    /**
     * An encrypted message came although the conversation is not private.
     */
    OTRL_MSGEVENT_RCVDMSG_NOT_IN_PRIVATE,
    /**
     * An encrypted message could not be read.
     */
    OTRL_MSGEVENT_RCVDMSG_UNREADABLE,
    /**
     * A message was malformed.
     */
    OTRL_MSGEVENT_RCVDMSG_MALFORMED,
    /**
     * A message without text came.
     */
    OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD,
    /**
     * A message without text was sent.
     */
    OTRL_MSGEVENT_LOG_HEARTBEAT_SENT,
    /**
     * The other side reports an error; `message` is its text.
     */
    OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR,
    /**
     * A message came unencrypted; `message` is its text.
     */
    OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED,
    /**
     * Something of OTR came that is not known.
     */
    OTRL_MSGEVENT_RCVDMSG_UNRECOGNIZED,
    /**
     * A message came that was meant for another instance of ours.
     */
    OTRL_MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE
} OtrlMessageEvent;

/**
 * When a text is converted.
 */
typedef enum {
    /**
     * Before it is encrypted.
     */
    OTRL_CONVERT_SENDING,
    /**
     * After it was decrypted.
     */
    OTRL_CONVERT_RECEIVING
} OtrlConvertType;

/**
 * What the library asks of the application. Each member may be NULL, and
 * each gets the application's `opdata` back. All may call the library.
 */
struct s_OtrlMessageAppOps {
    /**
     * Gives the policy for a context; `OTRL_POLICY_DEFAULT` without it.
     */
    OtrlPolicy (*policy)(void *opdata, ConnContext *context);
    /**
     * Should make a private key for the account.
     */
    void (*create_privkey)(void *opdata,
                           const char *accountname,
                           const char *protocol);
    /**
     * Says whether a correspondent is there: 1 yes, 0 no, -1 not known. Only
     * with 1 will notices be sent to it.
     */
    int (*is_logged_in)(void *opdata,
                        const char *accountname,
                        const char *protocol,
                        const char *recipient);
    /**
     * Sends a message over the network as it is.
     */
    void (*inject_message)(void *opdata,
                           const char *accountname,
                           const char *protocol,
                           const char *recipient,
                           const char *message);
    /**
     * The contexts or their states have changed.
     */
    void (*update_context_list)(void *opdata);
    /**
     * A correspondent uses a key that was not seen before.
     */
    void (*new_fingerprint)(void *opdata,
                            OtrlUserState us,
                            const char *accountname,
                            const char *protocol,
                            const char *username,
                            unsigned char *fingerprint);
    /**
     * The fingerprints have changed and should be written.
     */
    void (*write_fingerprints)(void *opdata);
    /**
     * A conversation has become private.
     */
    void (*gone_secure)(void *opdata, ConnContext *context);
    /**
     * Never called.
     */
    void (*gone_insecure)(void *opdata, ConnContext *context);
    /**
     * A private conversation has got new keys. `is_reply` is 1 on the side
     * that began the key exchange.
     */
    void (*still_secure)(void *opdata, ConnContext *context, int is_reply);
    /**
     * Gives the length of the longest message that can be sent in bytes; 0
     * means any.
     */
    int (*max_message_size)(void *opdata, ConnContext *context);
    /**
     * Never called.
     */
    const char *(*account_name)(void *opdata,
                                const char *account,
                                const char *protocol);
    /**
     * Never called.
     */
    void (*account_name_free)(void *opdata, const char *account_name);
    /**
     * The peer is about to use the extra symmetric key, which has
     * `OTRL_EXTRAKEY_BYTES` bytes and is gone after the call.
     */
    void (*received_symkey)(void *opdata,
                            ConnContext *context,
                            unsigned int use,
                            const unsigned char *usedata,
                            size_t usedatalen,
                            const unsigned char *symkey);
    /**
     * Gives the text of an error message to the other side, or NULL if none
     * is to be sent.
     */
    const char *(*otr_error_message)(void *opdata,
                                     ConnContext *context,
                                     OtrlErrorCode err_code);
    /**
     * Takes such a text back.
     */
    void (*otr_error_message_free)(void *opdata, const char *err_msg);
    /**
     * Gives the text to put before a message that is sent once more;
     * `[resent]` without it.
     */
    const char *(*resent_msg_prefix)(void *opdata, ConnContext *context);
    /**
     * Takes such a text back. Needed if there is `resent_msg_prefix`.
     */
    void (*resent_msg_prefix_free)(void *opdata, const char *prefix);
    /**
     * Tells how a comparison of secrets goes. `question` may be NULL.
     */
    void (*handle_smp_event)(void *opdata,
                             OtrlSMPEvent smp_event,
                             ConnContext *context,
                             unsigned short progress_percent,
                             char *question);
    /**
     * Tells what has happened to a message. `message` may be NULL.
     */
    void (*handle_msg_event)(void *opdata,
                             OtrlMessageEvent msg_event,
                             ConnContext *context,
                             const char *message,
                             gcry_error_t err);
    /**
     * Should make an instance tag for the account.
     */
    void (*create_instag)(void *opdata,
                          const char *accountname,
                          const char *protocol);
    /**
     * May put another text into `*dest` before a message is encrypted or
     * after it was decrypted.
     */
    void (*convert_msg)(void *opdata,
                        ConnContext *context,
                        OtrlConvertType convert_type,
                        char **dest,
                        const char *src);
    /**
     * Takes such a text back.
     */
    void (*convert_free)(void *opdata, ConnContext *context, char *dest);
    /**
     * Should call `otrl_message_poll` every `interval` seconds from now on,
     * or no more if that is 0.
     */
    void (*timer_control)(void *opdata, unsigned int interval);
};

/**
 * What the library asks of the application.
 */
typedef struct s_OtrlMessageAppOps OtrlMessageAppOps;

#endif  /* __MESSAGE_H__ */
