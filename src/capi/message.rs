//! `message.h`: sending and receiving, and what the application is told.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort, c_void};

use super::context::ConnContext;
use super::gcrypt::gcry_error_t;
use super::proto::OtrlPolicy;
use super::userstate::OtrlUserState;

/// Which error message the other side is to be sent.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlErrorCode {
    /// None.
    OTRL_ERRCODE_NONE,
    /// A message could not be encrypted.
    OTRL_ERRCODE_ENCRYPTION_ERROR,
    /// An encrypted message came although no conversation is private.
    OTRL_ERRCODE_MSG_NOT_IN_PRIVATE,
    /// An encrypted message could not be read.
    OTRL_ERRCODE_MSG_UNREADABLE,
    /// A message was malformed.
    OTRL_ERRCODE_MSG_MALFORMED,
}

/// What has happened in a comparison of secrets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlSMPEvent {
    /// Nothing.
    OTRL_SMPEVENT_NONE,
    /// A message came out of turn; the comparison should be aborted.
    OTRL_SMPEVENT_ERROR,
    /// The other side has aborted the comparison.
    OTRL_SMPEVENT_ABORT,
    /// The other side does not follow the protocol; the comparison should be
    /// aborted.
    OTRL_SMPEVENT_CHEATED,
    /// The other side asks a question; its answer is the secret.
    OTRL_SMPEVENT_ASK_FOR_ANSWER,
    /// The other side wants to compare secrets.
    OTRL_SMPEVENT_ASK_FOR_SECRET,
    /// The comparison goes on.
    OTRL_SMPEVENT_IN_PROGRESS,
    /// The secrets are equal.
    OTRL_SMPEVENT_SUCCESS,
    /// The secrets differ.
    OTRL_SMPEVENT_FAILURE,
}

/// What has happened to a message.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlMessageEvent {
    /// Nothing.
    OTRL_MSGEVENT_NONE,
    /// The policy asks for encryption, and the conversation is not private
    /// yet. The message is kept and a private conversation is requested.
    OTRL_MSGEVENT_ENCRYPTION_REQUIRED,
    /// A message could not be encrypted and was not sent.
    OTRL_MSGEVENT_ENCRYPTION_ERROR,
    /// The other side has ended the conversation; the message was not sent.
    OTRL_MSGEVENT_CONNECTION_ENDED,
    /// No private conversation could be set up; `err` says why.
    OTRL_MSGEVENT_SETUP_ERROR,
    /// Our own message came back.
    OTRL_MSGEVENT_MSG_REFLECTED,
    /// The last message was sent once more.
    OTRL_MSGEVENT_MSG_RESENT,
    /// An encrypted message came although the conversation is not private.
    OTRL_MSGEVENT_RCVDMSG_NOT_IN_PRIVATE,
    /// An encrypted message could not be read.
    OTRL_MSGEVENT_RCVDMSG_UNREADABLE,
    /// A message was malformed.
    OTRL_MSGEVENT_RCVDMSG_MALFORMED,
    /// A message without text came.
    OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD,
    /// A message without text was sent.
    OTRL_MSGEVENT_LOG_HEARTBEAT_SENT,
    /// The other side reports an error; `message` is its text.
    OTRL_MSGEVENT_RCVDMSG_GENERAL_ERR,
    /// A message came unencrypted; `message` is its text.
    OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED,
    /// Something of OTR came that is not known.
    OTRL_MSGEVENT_RCVDMSG_UNRECOGNIZED,
    /// A message came that was meant for another instance of ours.
    OTRL_MSGEVENT_RCVDMSG_FOR_OTHER_INSTANCE,
}

/// How urgent a notification is. Nothing uses it any more.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlNotifyLevel {
    /// An error.
    OTRL_NOTIFY_ERROR,
    /// A warning.
    OTRL_NOTIFY_WARNING,
    /// Mere information.
    OTRL_NOTIFY_INFO,
}

/// When a text is converted.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlConvertType {
    /// Before it is encrypted.
    OTRL_CONVERT_SENDING,
    /// After it was decrypted.
    OTRL_CONVERT_RECEIVING,
}

/// What the library asks of the application. Each member may be NULL, and
/// each gets the application's `opdata` back. All may call the library.
#[repr(C)]
pub struct s_OtrlMessageAppOps {
    /// Gives the policy for a context; `OTRL_POLICY_DEFAULT` without it.
    pub policy:
        Option<unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext) -> OtrlPolicy>,
    /// Should make a private key for the account.
    pub create_privkey: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            accountname: *const c_char,
            protocol: *const c_char,
        ),
    >,
    /// Says whether a correspondent is there: 1 yes, 0 no, -1 not known. Only
    /// with 1 will notices be sent to it.
    pub is_logged_in: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            accountname: *const c_char,
            protocol: *const c_char,
            recipient: *const c_char,
        ) -> c_int,
    >,
    /// Sends a message over the network as it is.
    pub inject_message: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            accountname: *const c_char,
            protocol: *const c_char,
            recipient: *const c_char,
            message: *const c_char,
        ),
    >,
    /// The contexts or their states have changed.
    pub update_context_list: Option<unsafe extern "C" fn(opdata: *mut c_void)>,
    /// A correspondent uses a key that was not seen before.
    pub new_fingerprint: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            us: OtrlUserState,
            accountname: *const c_char,
            protocol: *const c_char,
            username: *const c_char,
            fingerprint: *mut c_uchar,
        ),
    >,
    /// The fingerprints have changed and should be written.
    pub write_fingerprints: Option<unsafe extern "C" fn(opdata: *mut c_void)>,
    /// A conversation has become private.
    pub gone_secure: Option<unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext)>,
    /// Never called.
    pub gone_insecure: Option<unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext)>,
    /// A private conversation has got new keys. `is_reply` is 1 on the side
    /// that began the key exchange.
    pub still_secure: Option<
        unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext, is_reply: c_int),
    >,
    /// Gives the length of the longest message that can be sent in bytes; 0
    /// means any.
    pub max_message_size:
        Option<unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext) -> c_int>,
    /// Never called.
    pub account_name: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            account: *const c_char,
            protocol: *const c_char,
        ) -> *const c_char,
    >,
    /// Never called.
    pub account_name_free:
        Option<unsafe extern "C" fn(opdata: *mut c_void, account_name: *const c_char)>,
    /// The peer is about to use the extra symmetric key, which has
    /// `OTRL_EXTRAKEY_BYTES` bytes and is gone after the call.
    pub received_symkey: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            context: *mut ConnContext,
            r#use: c_uint,
            usedata: *const c_uchar,
            usedatalen: usize,
            symkey: *const c_uchar,
        ),
    >,
    /// Gives the text of an error message to the other side, or NULL if none
    /// is to be sent.
    pub otr_error_message: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            context: *mut ConnContext,
            err_code: OtrlErrorCode,
        ) -> *const c_char,
    >,
    /// Takes such a text back.
    pub otr_error_message_free:
        Option<unsafe extern "C" fn(opdata: *mut c_void, err_msg: *const c_char)>,
    /// Gives the text to put before a message that is sent once more;
    /// `[resent]` without it.
    pub resent_msg_prefix: Option<
        unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext) -> *const c_char,
    >,
    /// Takes such a text back. Needed if there is `resent_msg_prefix`.
    pub resent_msg_prefix_free:
        Option<unsafe extern "C" fn(opdata: *mut c_void, prefix: *const c_char)>,
    /// Tells how a comparison of secrets goes. `question` may be NULL.
    pub handle_smp_event: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            smp_event: OtrlSMPEvent,
            context: *mut ConnContext,
            progress_percent: c_ushort,
            question: *mut c_char,
        ),
    >,
    /// Tells what has happened to a message. `message` may be NULL.
    pub handle_msg_event: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            msg_event: OtrlMessageEvent,
            context: *mut ConnContext,
            message: *const c_char,
            err: gcry_error_t,
        ),
    >,
    /// Should make an instance tag for the account.
    pub create_instag: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            accountname: *const c_char,
            protocol: *const c_char,
        ),
    >,
    /// May put another text into `*dest` before a message is encrypted or
    /// after it was decrypted.
    pub convert_msg: Option<
        unsafe extern "C" fn(
            opdata: *mut c_void,
            context: *mut ConnContext,
            convert_type: OtrlConvertType,
            dest: *mut *mut c_char,
            src: *const c_char,
        ),
    >,
    /// Takes such a text back.
    pub convert_free: Option<
        unsafe extern "C" fn(opdata: *mut c_void, context: *mut ConnContext, dest: *mut c_char),
    >,
    /// Should call `otrl_message_poll` every `interval` seconds from now on,
    /// or no more if that is 0.
    pub timer_control: Option<unsafe extern "C" fn(opdata: *mut c_void, interval: c_uint)>,
}

/// What the library asks of the application.
pub type OtrlMessageAppOps = s_OtrlMessageAppOps;
