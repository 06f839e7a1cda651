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

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Releases a text that this library handed over. NULL is fine.
 *
 * The caller promises:
 * `message` is NULL or a text from this library that is not used any more.
 */
void otrl_message_free(char *message);

/**
 * Takes a text that the user wants to send to `recipient` (`instag` says to
 * which instance) and says what to send instead.
 *
 * Sets `*messagep` to the text to send, to be released by
 * `otrl_message_free`, or to NULL if `original_msg` may be sent as it is; and
 * `*contextp`, if `contextp` is not NULL, to the context. `tlvs` travel along
 * if the text is encrypted and still belong to the caller. `fragPolicy` says
 * what to do with a text that is too long for the transport. A context that
 * has to be made is passed to `add_appdata` with `data`.
 *
 * If the result is not 0, nothing may be sent unless `*messagep` was set.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
 * strings, `tlvs` is NULL or a list of records; the outputs may be written.
 */
gcry_error_t otrl_message_sending(OtrlUserState us,
                                  const OtrlMessageAppOps *ops,
                                  void *opdata,
                                  const char *accountname,
                                  const char *protocol,
                                  const char *recipient,
                                  otrl_instag_t instag,
                                  const char *original_msg,
                                  OtrlTLV *tlvs,
                                  char **messagep,
                                  OtrlFragmentPolicy fragPolicy,
                                  ConnContext **contextp,
                                  void (*add_appdata)(void *data,
                                                      ConnContext *context),
                                  void *data);

/**
 * Takes a text that arrived from `sender`.
 *
 * Returns 1 if the text was a matter of the protocol and must not be shown.
 * Otherwise `*newmessagep`, to be released by `otrl_message_free`, is to be
 * shown, or `message` itself if that is NULL. `*tlvsp`, to be released by
 * `otrl_tlv_free`, gets the records that came along, also with result 1;
 * `*contextp` the context. Both pointers may be NULL. A context that has to
 * be made is passed to `add_appdata` with `data`.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
 * strings; the outputs may be written.
 */
int otrl_message_receiving(OtrlUserState us,
                           const OtrlMessageAppOps *ops,
                           void *opdata,
                           const char *accountname,
                           const char *protocol,
                           const char *sender,
                           const char *message,
                           char **newmessagep,
                           OtrlTLV **tlvsp,
                           ConnContext **contextp,
                           void (*add_appdata)(void *data,
                                               ConnContext *context),
                           void *data);

/**
 * Ends the private conversation with one instance of `username` and tells
 * the peer, if `is_logged_in` says that it is there.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
 * strings.
 */
void otrl_message_disconnect(OtrlUserState us,
                             const OtrlMessageAppOps *ops,
                             void *opdata,
                             const char *accountname,
                             const char *protocol,
                             const char *username,
                             otrl_instag_t instance);

/**
 * Ends the private conversations with all instances of `username`.
 *
 * The caller promises:
 * As for `otrl_message_disconnect`.
 */
void otrl_message_disconnect_all_instances(OtrlUserState us,
                                           const OtrlMessageAppOps *ops,
                                           void *opdata,
                                           const char *accountname,
                                           const char *protocol,
                                           const char *username);

/**
 * Starts a comparison of secrets.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
 * context, `secret` NULL or `secretlen` bytes.
 */
void otrl_message_initiate_smp(OtrlUserState us,
                               const OtrlMessageAppOps *ops,
                               void *opdata,
                               ConnContext *context,
                               const unsigned char *secret,
                               size_t secretlen);

/**
 * Starts a comparison of secrets in which the peer is asked a question.
 *
 * The caller promises:
 * As for `otrl_message_initiate_smp`; `question` is NULL or a string.
 */
void otrl_message_initiate_smp_q(OtrlUserState us,
                                 const OtrlMessageAppOps *ops,
                                 void *opdata,
                                 ConnContext *context,
                                 const char *question,
                                 const unsigned char *secret,
                                 size_t secretlen);

/**
 * Answers the peer who asked to compare secrets.
 *
 * The caller promises:
 * As for `otrl_message_initiate_smp`.
 */
void otrl_message_respond_smp(OtrlUserState us,
                              const OtrlMessageAppOps *ops,
                              void *opdata,
                              ConnContext *context,
                              const unsigned char *secret,
                              size_t secretlen);

/**
 * Ends a comparison of secrets.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
 * context.
 */
void otrl_message_abort_smp(OtrlUserState us,
                            const OtrlMessageAppOps *ops,
                            void *opdata,
                            ConnContext *context);

/**
 * Tells the peer that the extra symmetric key is about to be used for `use`
 * and puts the key into `symkey`.
 *
 * The caller promises:
 * `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
 * context, `usedata` NULL or `usedatalen` bytes; `symkey` has room for 32.
 */
gcry_error_t otrl_message_symkey(OtrlUserState us,
                                 const OtrlMessageAppOps *ops,
                                 void *opdata,
                                 ConnContext *context,
                                 unsigned int use,
                                 const unsigned char *usedata,
                                 size_t usedatalen,
                                 unsigned char *symkey);

/**
 * How often `otrl_message_poll` should be called, in seconds. The argument
 * does not matter.
 *
 * The caller promises:
 * None: any argument will do.
 */
unsigned int otrl_message_poll_get_default_interval(OtrlUserState _us);

/**
 * Ends key exchanges that nobody has answered in time. `ops` may be NULL.
 *
 * The caller promises:
 * `us` is NULL or a user state, `ops` NULL or a structure of callbacks.
 */
void otrl_message_poll(OtrlUserState us,
                       const OtrlMessageAppOps *ops,
                       void *opdata);

#ifdef __cplusplus
}
#endif

#endif  /* __MESSAGE_H__ */
