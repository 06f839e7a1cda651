//! `sm.h`: the comparison of secrets (socialist millionaires' protocol).

use core::ffi::c_int;
use core::mem::MaybeUninit;

use super::gcrypt::gcry_mpi_t;
use super::guard::guard;
use super::open_enum::open_enum;
use super::{alloc, blank, bridge};
use crate::smp;

/// The length of a SHA-256 hash in bytes.
pub const SM_DIGEST_SIZE: u32 = 32;

/// The message of the comparison that may come next.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextExpectedSMP {
    /// The first: no comparison is going on.
    OTRL_SMP_EXPECT1,
    /// The second.
    OTRL_SMP_EXPECT2,
    /// The third.
    OTRL_SMP_EXPECT3,
    /// The fourth.
    OTRL_SMP_EXPECT4,
    /// None.
    OTRL_SMP_EXPECT5,
}

open_enum!(NextExpectedSMP:
    OTRL_SMP_EXPECT1,
    OTRL_SMP_EXPECT2,
    OTRL_SMP_EXPECT3,
    OTRL_SMP_EXPECT4,
    OTRL_SMP_EXPECT5,
);

/// How a comparison stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtrlSMProgState {
    /// Nothing is wrong so far.
    OTRL_SMP_PROG_OK = 0,
    /// The peer does not follow the protocol.
    OTRL_SMP_PROG_CHEATED = -2,
    /// The secrets differ.
    OTRL_SMP_PROG_FAILED = -1,
    /// The secrets are equal.
    OTRL_SMP_PROG_SUCCEEDED = 1,
}

open_enum!(OtrlSMProgState:
    OTRL_SMP_PROG_OK,
    OTRL_SMP_PROG_CHEATED,
    OTRL_SMP_PROG_FAILED,
    OTRL_SMP_PROG_SUCCEEDED,
);

/// How far a comparison of secrets has come.
#[repr(C)]
pub struct OtrlSMState {
    /// Our secret; NULL as long as no comparison was begun.
    pub secret: gcry_mpi_t,
    /// Our exponent for g2.
    pub x2: gcry_mpi_t,
    /// Our exponent for g3.
    pub x3: gcry_mpi_t,
    /// The generator of the group.
    pub g1: gcry_mpi_t,
    /// The generator for the comparison.
    pub g2: gcry_mpi_t,
    /// The generator for its last part.
    pub g3: gcry_mpi_t,
    /// Their share of g3.
    pub g3o: gcry_mpi_t,
    /// Our P.
    pub p: gcry_mpi_t,
    /// Our Q.
    pub q: gcry_mpi_t,
    /// Pa divided by Pb.
    pub pab: gcry_mpi_t,
    /// Qa divided by Qb.
    pub qab: gcry_mpi_t,
    /// The message that may come next.
    pub nextExpected: MaybeUninit<NextExpectedSMP>,
    /// Whether the peer asked a question.
    pub received_question: c_int,
    /// How the comparison stands.
    pub sm_prog_state: MaybeUninit<OtrlSMProgState>,
}

/// The state of the side that begins.
pub type OtrlSMAliceState = OtrlSMState;
/// The state of the side that answers.
pub type OtrlSMBobState = OtrlSMState;

/// Makes a state blank. What it held is not released.
///
/// # Safety
/// `smst` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_state_new(smst: *mut OtrlSMState) {
    guard((), || {
        if smst.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { alloc::wipe_object(smst) };
    });
}

/// Releases what a state holds and makes it blank. The structure itself
/// remains and can be used again.
///
/// # Safety
/// `smst` is NULL or valid and holds NULL or numbers of libgcrypt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_state_free(smst: *mut OtrlSMState) {
    guard((), || {
        // SAFETY: the caller's promise.
        unsafe {
            // See otrl_context_priv_force_finished.
            if smst.is_null() || blank::is_blank(smst) {
                return;
            }
            for number in numbers(smst) {
                bridge::release(number);
            }
            alloc::wipe_object(smst);
        }
    });
}

/// Shows how far a comparison of secrets has come.
///
/// While a run is on, programs take `secret` for a sign of it: it is then a
/// number, and stays one until the state is freed.
///
/// # Safety
/// `state` is valid and holds NULL or numbers of libgcrypt.
pub(crate) unsafe fn show(state: *mut OtrlSMState, smp: &smp::Smp) {
    // SAFETY: the caller's promise.
    unsafe {
        (*state).nextExpected.write(match smp.expected() {
            smp::Expected::Message1 => NextExpectedSMP::OTRL_SMP_EXPECT1,
            smp::Expected::Message2 => NextExpectedSMP::OTRL_SMP_EXPECT2,
            smp::Expected::Message3 => NextExpectedSMP::OTRL_SMP_EXPECT3,
            smp::Expected::Message4 => NextExpectedSMP::OTRL_SMP_EXPECT4,
        });
        (*state).sm_prog_state.write(match smp.progress() {
            smp::Progress::Ok => OtrlSMProgState::OTRL_SMP_PROG_OK,
            smp::Progress::Cheated => OtrlSMProgState::OTRL_SMP_PROG_CHEATED,
            smp::Progress::Failed => OtrlSMProgState::OTRL_SMP_PROG_FAILED,
            smp::Progress::Succeeded => OtrlSMProgState::OTRL_SMP_PROG_SUCCEEDED,
        });
        (*state).received_question = smp.received_question().into();
        if smp.is_asked() || smp.expected() != smp::Expected::Message1 {
            show_running(state);
        }
    }
}

/// Gives a state the sign of a run that [`show`] speaks of.
///
/// # Safety
/// As for [`show`].
pub(crate) unsafe fn show_running(state: *mut OtrlSMState) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*state).secret.is_null() {
            (*state).secret = bridge::mpi(&[]).unwrap_or(core::ptr::null_mut());
        }
    }
}

/// The fields that are numbers.
///
/// # Safety
/// `state` is valid.
unsafe fn numbers(state: *mut OtrlSMState) -> [*mut gcry_mpi_t; 11] {
    // SAFETY: the caller's promise.
    unsafe {
        [
            &raw mut (*state).secret,
            &raw mut (*state).x2,
            &raw mut (*state).x3,
            &raw mut (*state).g1,
            &raw mut (*state).g2,
            &raw mut (*state).g3,
            &raw mut (*state).g3o,
            &raw mut (*state).p,
            &raw mut (*state).q,
            &raw mut (*state).pab,
            &raw mut (*state).qab,
        ]
    }
}
