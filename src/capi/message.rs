//! `message.h`: sending and receiving, and what the application is told.

use core::ffi::{c_char, c_int, c_uchar, c_uint, c_ushort, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use super::clock::now;
use super::context::ConnContext;
use super::driver::{
    App, Names, Newcomers, ReceiveArguments, SendArguments, command, inject_sealed,
};
use super::gcrypt::gcry_error_t;
use super::guard::{guard, guard_error};
use super::instag::otrl_instag_t;
use super::proto::{OtrlFragmentPolicy, OtrlPolicy};
use super::tlv::{OtrlTLV, otrl_tlv_free};
use super::userstate::OtrlUserState;
use super::{alloc, driver, open_enum, poll, state};
use crate::crypto::os_random;
use crate::session::POLL_INTERVAL;

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

/// Releases a text that this library handed over. NULL is fine.
///
/// # Safety
/// `message` is NULL or a text from this library that is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_free(message: *mut c_char) {
    // SAFETY: the caller's promise.
    guard((), || unsafe { alloc::wipe_string(message) });
}

/// Takes a text that the user wants to send to `recipient` (`instag` says to
/// which instance) and says what to send instead.
///
/// Sets `*messagep` to the text to send, to be released by
/// `otrl_message_free`, or to NULL if `original_msg` may be sent as it is; and
/// `*contextp`, if `contextp` is not NULL, to the context. `tlvs` travel along
/// if the text is encrypted and still belong to the caller. `fragPolicy` says
/// what to do with a text that is too long for the transport. A context that
/// has to be made is passed to `add_appdata` with `data`.
///
/// If the result is not 0, nothing may be sent unless `*messagep` was set.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
/// strings, `tlvs` is NULL or a list of records; the outputs may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_sending(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    recipient: *const c_char,
    instag: otrl_instag_t,
    original_msg: *const c_char,
    tlvs: *mut OtrlTLV,
    messagep: *mut *mut c_char,
    fragPolicy: MaybeUninit<OtrlFragmentPolicy>,
    contextp: *mut *mut ConnContext,
    add_appdata: Option<unsafe extern "C" fn(data: *mut c_void, context: *mut ConnContext)>,
    data: *mut c_void,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            if !messagep.is_null() {
                *messagep = ptr::null_mut();
            }
            if !contextp.is_null() {
                *contextp = ptr::null_mut();
            }
            let Some(text) = alloc::bytes(original_msg) else {
                return Err(gcry_error_t::INV_VALUE);
            };
            if us.is_null()
                || accountname.is_null()
                || protocol.is_null()
                || recipient.is_null()
                || messagep.is_null()
            {
                return Err(gcry_error_t::INV_VALUE);
            }
            let Some(fragments) = open_enum::read(fragPolicy) else {
                return Err(gcry_error_t::INV_VALUE);
            };
            let arguments = SendArguments {
                account: accountname,
                protocol,
                recipient,
                instance: instag,
                text,
                tlvs,
                fragments,
                newcomers: Newcomers {
                    add: add_appdata,
                    data,
                },
            };
            let sending = driver::sending(App::new(us, ops, opdata), &arguments);
            if !contextp.is_null() {
                *contextp = sending.context.unwrap_or(ptr::null_mut());
            }
            if let Some(text) = sending.text {
                *messagep = text.into_raw();
            }
            sending.result.into_result()
        }
    })
}

/// Takes a text that arrived from `sender`.
///
/// Returns 1 if the text was a matter of the protocol and must not be shown.
/// Otherwise `*newmessagep`, to be released by `otrl_message_free`, is to be
/// shown, or `message` itself if that is NULL. `*tlvsp`, to be released by
/// `otrl_tlv_free`, gets the records that came along, also with result 1;
/// `*contextp` the context. Both pointers may be NULL. A context that has to
/// be made is passed to `add_appdata` with `data`.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
/// strings; the outputs may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_receiving(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    sender: *const c_char,
    message: *const c_char,
    newmessagep: *mut *mut c_char,
    tlvsp: *mut *mut OtrlTLV,
    contextp: *mut *mut ConnContext,
    add_appdata: Option<unsafe extern "C" fn(data: *mut c_void, context: *mut ConnContext)>,
    data: *mut c_void,
) -> c_int {
    // After a panic the text is not shown: it may be anything.
    guard(1, || {
        // SAFETY: the caller's promise.
        unsafe {
            if newmessagep.is_null() {
                return 0;
            }
            *newmessagep = ptr::null_mut();
            if !tlvsp.is_null() {
                *tlvsp = ptr::null_mut();
            }
            if !contextp.is_null() {
                *contextp = ptr::null_mut();
            }
            if us.is_null()
                || accountname.is_null()
                || protocol.is_null()
                || sender.is_null()
                || message.is_null()
            {
                return 0;
            }
            let arguments = ReceiveArguments {
                account: accountname,
                protocol,
                sender,
                message,
                newcomers: Newcomers {
                    add: add_appdata,
                    data,
                },
            };
            let answer = driver::receiving(App::new(us, ops, opdata), arguments);
            if !contextp.is_null() {
                *contextp = answer.context;
            }
            if tlvsp.is_null() {
                otrl_tlv_free(answer.tlvs);
            } else {
                *tlvsp = answer.tlvs;
            }
            if let Some(text) = answer.text {
                *newmessagep = alloc::c_string(&text);
                if (*newmessagep).is_null() {
                    // Better lost than an encrypted text shown in its place.
                    return 1;
                }
            }
            answer.internal.into()
        }
    })
}

/// Ends the private conversation with one instance of `username` and tells
/// the peer, if `is_logged_in` says that it is there.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, the texts are NULL or
/// strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_disconnect(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
    instance: otrl_instag_t,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            let context = command::find(us, accountname, protocol, username, instance);
            if !context.is_null() {
                command::disconnect(App::new(us, ops, opdata), context);
            }
        }
    });
}

/// Ends the private conversations with all instances of `username`.
///
/// # Safety
/// As for `otrl_message_disconnect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_disconnect_all_instances(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    accountname: *const c_char,
    protocol: *const c_char,
    username: *const c_char,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            command::disconnect_all(App::new(us, ops, opdata), accountname, protocol, username);
        }
    });
}

/// Starts a comparison of secrets.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
/// context, `secret` NULL or `secretlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_initiate_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    secret: *const c_uchar,
    secretlen: usize,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            let secret = alloc::slice(secret, secretlen);
            command::smp(
                App::new(us, ops, opdata),
                context,
                |instance, fingerprint| {
                    instance.smp_start(fingerprint, None, secret, now(), &mut os_random())
                },
            );
        }
    });
}

/// Starts a comparison of secrets in which the peer is asked a question.
///
/// # Safety
/// As for `otrl_message_initiate_smp`; `question` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_initiate_smp_q(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    question: *const c_char,
    secret: *const c_uchar,
    secretlen: usize,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            let question = alloc::bytes(question);
            let secret = alloc::slice(secret, secretlen);
            command::smp(
                App::new(us, ops, opdata),
                context,
                |instance, fingerprint| {
                    instance.smp_start(fingerprint, question, secret, now(), &mut os_random())
                },
            );
        }
    });
}

/// Answers the peer who asked to compare secrets.
///
/// # Safety
/// As for `otrl_message_initiate_smp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_respond_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    secret: *const c_uchar,
    secretlen: usize,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            let secret = alloc::slice(secret, secretlen);
            command::smp(
                App::new(us, ops, opdata),
                context,
                |instance, fingerprint| {
                    instance.smp_answer(fingerprint, secret, now(), &mut os_random())
                },
            );
        }
    });
}

/// Ends a comparison of secrets.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
/// context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_abort_smp(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            command::abort_smp(App::new(us, ops, opdata), context);
        }
    });
}

/// Tells the peer that the extra symmetric key is about to be used for `use`
/// and puts the key into `symkey`.
///
/// # Safety
/// `us` is a user state, `ops` a structure of callbacks, `context` NULL or a
/// context, `usedata` NULL or `usedatalen` bytes; `symkey` has room for 32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_symkey(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
    context: *mut ConnContext,
    r#use: c_uint,
    usedata: *const c_uchar,
    usedatalen: usize,
    symkey: *mut c_uchar,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            if context.is_null() || symkey.is_null() || (usedatalen > 0 && usedata.is_null()) {
                return Err(gcry_error_t::INV_VALUE);
            }
            let data = alloc::slice(usedata, usedatalen);
            let names = Names::of(context);
            let sealed = state::step_quietly(context, |instance| {
                instance.request_symmetric_key(r#use, data, now())
            });
            let Some(Ok(sealed)) = sealed else {
                return Err(gcry_error_t::INV_VALUE);
            };
            ptr::copy_nonoverlapping(sealed.extra_key.as_ptr(), symkey, sealed.extra_key.len());
            // Compatibility: never cut into pieces.
            inject_sealed(App::new(us, ops, opdata), &names, context, &sealed, None);
            Ok(())
        }
    })
}

/// How often `otrl_message_poll` should be called, in seconds. The argument
/// does not matter.
///
/// # Safety
/// None: any argument will do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_poll_get_default_interval(_us: OtrlUserState) -> c_uint {
    POLL_INTERVAL
}

/// Ends key exchanges that nobody has answered in time. `ops` may be NULL.
///
/// # Safety
/// `us` is NULL or a user state, `ops` NULL or a structure of callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_message_poll(
    us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
) {
    guard((), || {
        if !us.is_null() {
            // SAFETY: the caller's promise.
            unsafe { poll::poll(App::new(us, ops, opdata)) };
        }
    });
}
