//! `context.h`: conversations and the fingerprints seen in them.

use core::ffi::{c_char, c_uchar, c_uint, c_void};
use core::mem::MaybeUninit;

use super::auth::OtrlAuthInfo;
use super::context_priv::ConnContextPriv;
use super::dh::OtrlSessionIdHalf;
use super::instag::otrl_instag_t;
use super::open_enum::open_enum;
use super::sm::OtrlSMState;

/// Whether messages to a correspondent are encrypted.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlMessageState {
    /// There is no private conversation.
    OTRL_MSGSTATE_PLAINTEXT,
    /// Messages are encrypted.
    OTRL_MSGSTATE_ENCRYPTED,
    /// The peer has ended the private conversation; nothing can be sent until
    /// this side ends it as well or begins a new one.
    OTRL_MSGSTATE_FINISHED,
}

open_enum!(OtrlMessageState:
    OTRL_MSGSTATE_PLAINTEXT,
    OTRL_MSGSTATE_ENCRYPTED,
    OTRL_MSGSTATE_FINISHED,
);

/// A public key that a correspondent has used.
#[repr(C)]
pub struct s_fingerprint {
    /// The next one in the list, or NULL.
    pub next: *mut s_fingerprint,
    /// The pointer that points here.
    pub tous: *mut *mut s_fingerprint,
    /// 20 bytes from `malloc`; NULL in the root of the list.
    pub fingerprint: *mut c_uchar,
    /// The master context to which the list belongs.
    pub context: *mut ConnContext,
    /// The level of trust, from `malloc`. NULL or empty means untrusted.
    pub trust: *mut c_char,
}

/// A public key that a correspondent has used.
pub type Fingerprint = s_fingerprint;

/// What became of the offer to speak OTR.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlOffer {
    /// None was made.
    OFFER_NOT,
    /// It was made and not answered yet.
    OFFER_SENT,
    /// The correspondent went on without OTR.
    OFFER_REJECTED,
    /// The correspondent speaks OTR.
    OFFER_ACCEPTED,
}

open_enum!(OtrlOffer: OFFER_NOT, OFFER_SENT, OFFER_REJECTED, OFFER_ACCEPTED);

/// One conversation: with a correspondent in general (a master context), or
/// with one of the places where the correspondent is logged in.
#[repr(C)]
pub struct s_context {
    /// The next context in the list, or NULL.
    pub next: *mut s_context,
    /// The pointer that points here.
    pub tous: *mut *mut s_context,
    /// What only the library should look at.
    pub context_priv: *mut ConnContextPriv,
    /// The correspondent, ...
    pub username: *mut c_char,
    /// ... as known to this account of ours ...
    pub accountname: *mut c_char,
    /// ... with this chat protocol.
    pub protocol: *mut c_char,
    /// The master context; a master points to itself.
    pub m_context: *mut s_context,
    /// In a master: the context of its group that received a message last, at
    /// first itself. NULL in other contexts.
    pub recent_rcvd_child: *mut s_context,
    /// In a master: the context of its group that sent a message last.
    pub recent_sent_child: *mut s_context,
    /// In a master: whichever of these two was used later.
    pub recent_child: *mut s_context,
    /// Our instance tag.
    pub our_instance: otrl_instag_t,
    /// Their instance tag; 0 in a master.
    pub their_instance: otrl_instag_t,
    /// Whether messages are encrypted.
    pub msgstate: MaybeUninit<OtrlMessageState>,
    /// The key exchange that is going on, if any.
    pub auth: OtrlAuthInfo,
    /// The root of the list of fingerprints, which only masters have. The
    /// root is no entry itself.
    pub fingerprint_root: Fingerprint,
    /// The fingerprint of the key in use, an entry of the master's list.
    pub active_fingerprint: *mut Fingerprint,
    /// The session id: 8 bytes, 20 in version 1.
    pub sessionid: [c_uchar; 20],
    /// How many bytes of `sessionid` count.
    pub sessionid_len: usize,
    /// Which half of the session id to show in bold type.
    pub sessionid_half: MaybeUninit<OtrlSessionIdHalf>,
    /// The protocol version in use.
    pub protocol_version: c_uint,
    /// What became of the offer to speak OTR.
    pub otr_offer: MaybeUninit<OtrlOffer>,
    /// Whatever the application keeps here.
    pub app_data: *mut c_void,
    /// Called with `app_data` when the context is forgotten.
    pub app_data_free: Option<unsafe extern "C" fn(app_data: *mut c_void)>,
    /// How far a comparison of secrets has come.
    pub smstate: *mut OtrlSMState,
}

/// One conversation.
pub type ConnContext = s_context;
