//! The application's side: its callbacks, each called through one function.

use core::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};

use crate::Policy;
use crate::capi::contacts::Handle;
use crate::capi::context::ConnContext;
use crate::capi::gcrypt::gcry_error_t;
use crate::capi::message::{
    OtrlConvertType, OtrlErrorCode, OtrlMessageAppOps, OtrlMessageEvent, OtrlSMPEvent,
};
use crate::capi::text::Text;
use crate::capi::userstate::OtrlUserState;
use crate::capi::{alloc, contacts};
use crate::crypto::secret::SecretBytes;
use crate::session::SmpEvent;
use crate::wire::error_message;
use crate::wire::fragment::Cut;

/// Whom a call is about, as C strings that outlive the call's context.
pub(in crate::capi) struct Names {
    /// The three names, each with its NUL.
    bytes: Box<[u8]>,
    /// Where the second and the third begin.
    starts: [usize; 2],
}

impl Names {
    /// Copies the three names; NULL counts as empty.
    ///
    /// # Safety
    /// The pointers are NULL or NUL-terminated strings.
    pub(in crate::capi) unsafe fn copy(
        account: *const c_char,
        protocol: *const c_char,
        peer: *const c_char,
    ) -> Self {
        let text = |name: *const c_char| {
            if name.is_null() {
                c""
            } else {
                // SAFETY: the caller's promise.
                unsafe { CStr::from_ptr(name) }
            }
        };
        let texts = [account, protocol, peer].map(|name| text(name).to_bytes_with_nul());
        let [account, protocol, _] = texts.map(<[u8]>::len);
        Self {
            bytes: texts.concat().into(),
            starts: [account, account.saturating_add(protocol)],
        }
    }

    /// Nobody's names, for calls of which the application does not hear.
    pub(in crate::capi) fn none() -> Self {
        Self {
            bytes: Box::default(),
            starts: [0; 2],
        }
    }

    /// The names of a context.
    ///
    /// # Safety
    /// `context` points to a context.
    pub(in crate::capi) unsafe fn of(context: *mut ConnContext) -> Self {
        // SAFETY: the caller's promise; the names are NULL or strings.
        unsafe {
            Self::copy(
                (*context).accountname,
                (*context).protocol,
                (*context).username,
            )
        }
    }

    /// Our account.
    pub(in crate::capi) fn account(&self) -> &CStr {
        self.text(0)
    }

    /// Its chat protocol.
    pub(in crate::capi) fn protocol(&self) -> &CStr {
        self.text(self.starts[0])
    }

    /// The peer.
    pub(in crate::capi) fn peer(&self) -> &CStr {
        self.text(self.starts[1])
    }

    fn text(&self, start: usize) -> &CStr {
        let bytes = self.bytes.get(start..).unwrap_or_default();
        CStr::from_bytes_until_nul(bytes).unwrap_or_default()
    }
}

/// The application's function that sends a text.
type Inject =
    unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char, *const c_char, *const c_char);

/// The user, and the application that acts for him.
#[derive(Clone, Copy)]
pub(in crate::capi) struct App {
    pub(in crate::capi) us: OtrlUserState,
    ops: *const OtrlMessageAppOps,
    opdata: *mut c_void,
}

impl App {
    /// # Safety
    /// For as long as the value is used, `us` is a user state and `ops` NULL
    /// or a structure of callbacks that keep to `message.h`.
    pub(in crate::capi) const unsafe fn new(
        us: OtrlUserState,
        ops: *const OtrlMessageAppOps,
        opdata: *mut c_void,
    ) -> Self {
        Self { us, ops, opdata }
    }

    /// Reads one member of the structure of callbacks.
    fn op<F>(self, member: impl FnOnce(&OtrlMessageAppOps) -> Option<F>) -> Option<F> {
        // SAFETY: the promise made to `new`; the reference ends here, before
        // the callback is called.
        unsafe { self.ops.as_ref() }.and_then(member)
    }

    /// Finds or makes a context and announces a new one. If the application
    /// forgets it at once, another is made, of which it does not hear.
    pub(in crate::capi) fn announced(
        self,
        find: impl Fn(&mut c_int) -> *mut ConnContext,
    ) -> *mut ConnContext {
        let mut added = 0;
        let context = find(&mut added);
        let epoch = contacts::epoch();
        if added != 0 {
            self.update_context_list();
        }
        if contacts::epoch() == epoch {
            context
        } else {
            find(&mut added)
        }
    }

    pub(in crate::capi) fn policy(self, context: *mut ConnContext) -> Policy {
        self.op(|ops| ops.policy).map_or(Policy::DEFAULT, |policy| {
            // SAFETY: the promise made to `new`.
            Policy::from_bits(unsafe { policy(self.opdata, context) })
        })
    }

    pub(in crate::capi) fn create_privkey(self, account: *const c_char, protocol: *const c_char) {
        if let Some(create) = self.op(|ops| ops.create_privkey) {
            // SAFETY: the promise made to `new`.
            unsafe { create(self.opdata, account, protocol) };
        }
    }

    pub(in crate::capi) fn create_instag(self, account: *const c_char, protocol: *const c_char) {
        if let Some(create) = self.op(|ops| ops.create_instag) {
            // SAFETY: the promise made to `new`.
            unsafe { create(self.opdata, account, protocol) };
        }
    }

    /// Whether the peer is known to be there; not so if the application
    /// cannot tell.
    pub(in crate::capi) fn is_logged_in(self, names: &Names) -> bool {
        self.op(|ops| ops.is_logged_in).is_some_and(|is_logged_in| {
            let (account, protocol, peer) = (names.account(), names.protocol(), names.peer());
            // SAFETY: the promise made to `new`.
            let answer = unsafe {
                is_logged_in(
                    self.opdata,
                    account.as_ptr(),
                    protocol.as_ptr(),
                    peer.as_ptr(),
                )
            };
            answer == 1
        })
    }

    pub(in crate::capi) fn can_inject(self) -> bool {
        self.op(|ops| ops.inject_message).is_some()
    }

    /// Sends a text as it is. To C it ends at the first NUL.
    pub(in crate::capi) fn inject(self, names: &Names, text: &[u8]) {
        let Some(inject) = self.op(|ops| ops.inject_message) else {
            return;
        };
        let text = terminated(text);
        // SAFETY: the text has a NUL behind it.
        unsafe { self.call(inject, names, text.as_ptr().cast()) };
    }

    /// The same without a copy.
    pub(in crate::capi) fn inject_text(self, names: &Names, text: &Text) {
        if let Some(inject) = self.op(|ops| ops.inject_message) {
            // SAFETY: the text has a NUL behind it.
            unsafe { self.call(inject, names, text.as_ptr()) };
        }
    }

    /// Sends the pieces of a message, and returns the one that is to be kept
    /// instead.
    pub(in crate::capi) fn inject_pieces(
        self,
        names: &Names,
        mut cut: Cut<'_>,
        keep: Option<u16>,
    ) -> Option<Text> {
        let inject = self.op(|ops| ops.inject_message)?;
        let mut kept = None;
        let mut piece = Vec::new();
        for number in 1..=cut.left() {
            piece.clear();
            for part in cut.next_piece()? {
                piece.extend_from_slice(part);
            }
            if Some(number) == keep {
                kept = Text::copy(&piece);
                continue;
            }
            piece.push(0);
            // SAFETY: the text has a NUL behind it.
            unsafe { self.call(inject, names, piece.as_ptr().cast()) };
        }
        kept
    }

    /// # Safety
    /// `text` is NUL-terminated.
    unsafe fn call(self, inject: Inject, names: &Names, text: *const c_char) {
        let (account, protocol, peer) = (names.account(), names.protocol(), names.peer());
        // SAFETY: the promise made to `new`, and the caller's.
        unsafe {
            inject(
                self.opdata,
                account.as_ptr(),
                protocol.as_ptr(),
                peer.as_ptr(),
                text,
            );
        }
    }

    pub(in crate::capi) fn update_context_list(self) {
        if let Some(update) = self.op(|ops| ops.update_context_list) {
            // SAFETY: the promise made to `new`.
            unsafe { update(self.opdata) };
        }
    }

    pub(in crate::capi) fn new_fingerprint(self, names: &Names, fingerprint: &mut [u8; 20]) {
        if let Some(new_fingerprint) = self.op(|ops| ops.new_fingerprint) {
            // SAFETY: the promise made to `new`.
            unsafe {
                new_fingerprint(
                    self.opdata,
                    self.us,
                    names.account().as_ptr(),
                    names.protocol().as_ptr(),
                    names.peer().as_ptr(),
                    fingerprint.as_mut_ptr(),
                );
            }
        }
    }

    pub(in crate::capi) fn write_fingerprints(self) {
        if let Some(write) = self.op(|ops| ops.write_fingerprints) {
            // SAFETY: the promise made to `new`.
            unsafe { write(self.opdata) };
        }
    }

    pub(in crate::capi) fn gone_secure(self, context: *mut ConnContext) {
        if let Some(gone_secure) = self.op(|ops| ops.gone_secure) {
            // SAFETY: the promise made to `new`.
            unsafe { gone_secure(self.opdata, context) };
        }
    }

    pub(in crate::capi) fn still_secure(self, context: *mut ConnContext, is_reply: bool) {
        if let Some(still_secure) = self.op(|ops| ops.still_secure) {
            // SAFETY: the promise made to `new`.
            unsafe { still_secure(self.opdata, context, is_reply.into()) };
        }
    }

    /// The length of the longest text that can be sent; `None` for any.
    pub(in crate::capi) fn max_message_size(self, context: *mut ConnContext) -> Option<usize> {
        let size = self.op(|ops| ops.max_message_size).map_or(0, |size| {
            // SAFETY: the promise made to `new`.
            unsafe { size(self.opdata, context) }
        });
        usize::try_from(size).ok().filter(|size| *size != 0)
    }

    pub(in crate::capi) fn received_symkey(
        self,
        context: *mut ConnContext,
        purpose: c_uint,
        data: &[u8],
        key: &[u8; 32],
    ) {
        if let Some(received) = self.op(|ops| ops.received_symkey) {
            let data: (*const c_uchar, usize) = (data.as_ptr(), data.len());
            // SAFETY: the promise made to `new`.
            unsafe { received(self.opdata, context, purpose, data.0, data.1, key.as_ptr()) };
        }
    }

    /// Makes an error message for the peer of the application's words, if it
    /// has any, and passes it on before the words are taken back.
    pub(in crate::capi) fn error_message<R>(
        self,
        context: *mut ConnContext,
        code: OtrlErrorCode,
        pass_on: impl FnOnce(Vec<u8>) -> R,
    ) -> Option<R> {
        let error_message = self.op(|ops| ops.otr_error_message)?;
        // SAFETY: the promise made to `new`; the text is taken back only after
        // it was copied.
        unsafe {
            let words = error_message(self.opdata, context, code);
            let text = [error_message::PREFIX, alloc::bytes(words)?].concat();
            let result = pass_on(text);
            if let Some(free) = self.op(|ops| ops.otr_error_message_free) {
                free(self.opdata, words);
            }
            Some(result)
        }
    }

    /// What to put before a text that is sent once more.
    pub(in crate::capi) fn resent_prefix(self, context: *mut ConnContext) -> Vec<u8> {
        let Some(prefix) = self.op(|ops| ops.resent_msg_prefix) else {
            return b"[resent]".to_vec();
        };
        // SAFETY: the promise made to `new`; the text is taken back only after
        // it was copied.
        unsafe {
            let text = prefix(self.opdata, context);
            let words = alloc::bytes(text).unwrap_or_default().to_vec();
            if !text.is_null()
                && let Some(free) = self.op(|ops| ops.resent_msg_prefix_free)
            {
                free(self.opdata, text);
            }
            words
        }
    }

    pub(in crate::capi) fn smp_event(self, context: *mut ConnContext, event: &SmpEvent) {
        let Some(handle) = self.op(|ops| ops.handle_smp_event) else {
            return;
        };
        let (number, question) = match event {
            SmpEvent::Error => (OtrlSMPEvent::OTRL_SMPEVENT_ERROR, None),
            SmpEvent::Aborted => (OtrlSMPEvent::OTRL_SMPEVENT_ABORT, None),
            SmpEvent::Cheated => (OtrlSMPEvent::OTRL_SMPEVENT_CHEATED, None),
            SmpEvent::AskForAnswer(question) => (
                OtrlSMPEvent::OTRL_SMPEVENT_ASK_FOR_ANSWER,
                Some(terminated(question)),
            ),
            SmpEvent::AskForSecret => (OtrlSMPEvent::OTRL_SMPEVENT_ASK_FOR_SECRET, None),
            SmpEvent::InProgress => (OtrlSMPEvent::OTRL_SMPEVENT_IN_PROGRESS, None),
            SmpEvent::Success => (OtrlSMPEvent::OTRL_SMPEVENT_SUCCESS, None),
            SmpEvent::Failure => (OtrlSMPEvent::OTRL_SMPEVENT_FAILURE, None),
        };
        let mut question = question;
        let text = question
            .as_mut()
            .map_or(core::ptr::null_mut(), |text| text.as_mut_ptr().cast());
        // SAFETY: the promise made to `new`.
        unsafe { handle(self.opdata, number, context, event.percent(), text) };
    }

    pub(in crate::capi) fn takes_events(self) -> bool {
        self.op(|ops| ops.handle_msg_event).is_some()
    }

    /// Tells the user; `message` is NULL where the event has no text.
    pub(in crate::capi) fn event(
        self,
        event: OtrlMessageEvent,
        context: *mut ConnContext,
        message: Option<&[u8]>,
        error: gcry_error_t,
    ) {
        let Some(handle) = self.op(|ops| ops.handle_msg_event) else {
            return;
        };
        let message = message.map(terminated);
        let text = message
            .as_ref()
            .map_or(core::ptr::null(), |text| text.as_ptr().cast());
        // SAFETY: the promise made to `new`.
        unsafe { handle(self.opdata, event, context, text, error) };
    }

    /// Whether the application has its own form of texts.
    pub(in crate::capi) fn converts(self) -> bool {
        self.op(|ops| ops.convert_msg).is_some()
    }

    /// The application's own form of a text, if it has one.
    pub(in crate::capi) fn convert(
        self,
        context: *mut ConnContext,
        direction: OtrlConvertType,
        text: &[u8],
    ) -> Option<SecretBytes> {
        let convert = self.op(|ops| ops.convert_msg)?;
        let source = terminated(text);
        let mut converted: *mut c_char = core::ptr::null_mut();
        // SAFETY: the promise made to `new`; the text is taken back only after
        // it was copied.
        unsafe {
            let source = source.as_ptr().cast();
            let handle = Handle::new(self.us, context);
            convert(self.opdata, context, direction, &raw mut converted, source);
            let copy = alloc::bytes(converted)?.to_vec();
            if let Some(free) = self.op(|ops| ops.convert_free) {
                let context = handle.get().unwrap_or(core::ptr::null_mut());
                free(self.opdata, context, converted);
            }
            Some(SecretBytes::new(copy))
        }
    }

    pub(in crate::capi) fn has_timer(self) -> bool {
        self.op(|ops| ops.timer_control).is_some()
    }

    pub(in crate::capi) fn timer_control(self, interval: c_uint) {
        if let Some(control) = self.op(|ops| ops.timer_control) {
            // SAFETY: the promise made to `new`.
            unsafe { control(self.opdata, interval) };
        }
    }
}

/// The bytes with a NUL behind them.
fn terminated(text: &[u8]) -> SecretBytes {
    let mut copy = SecretBytes::new(Vec::with_capacity(text.len().saturating_add(1)));
    copy.extend_from_slice(text);
    copy.push(0);
    copy
}
