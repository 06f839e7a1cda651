//! `sm.h`: the comparison of secrets (socialist millionaires' protocol).

use core::ffi::{c_int, c_uchar};
use core::mem::MaybeUninit;
use core::ptr;

use super::gcrypt::{gcry_error_t, gcry_mpi_t};
use super::guard::{guard, guard_error};
use super::open_enum::open_enum;
use super::sm_numbers::{self, Awaiting};
use super::{alloc, blank, bridge};
use crate::crypto::os_random;
use crate::smp;
use crate::wire::tlv;

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
            // Compatibility: forgotten as soon as the application was told.
            smp::Progress::Cheated => OtrlSMProgState::OTRL_SMP_PROG_OK,
            progress => progress_state(progress),
        });
        (*state).received_question = smp.received_question().into();
        if smp.is_asked() || smp.expected() != smp::Expected::Message1 {
            show_running(state);
        }
    }
}

/// Shows the result of a step of a run, but not yet which message is expected
/// next.
///
/// # Safety
/// As for [`show`].
pub(crate) unsafe fn show_progress(state: *mut OtrlSMState, progress: smp::Progress) {
    // SAFETY: the caller's promise.
    unsafe {
        (*state).sm_prog_state.write(progress_state(progress));
        show_running(state);
    }
}

const fn progress_state(progress: smp::Progress) -> OtrlSMProgState {
    match progress {
        smp::Progress::Ok => OtrlSMProgState::OTRL_SMP_PROG_OK,
        smp::Progress::Cheated => OtrlSMProgState::OTRL_SMP_PROG_CHEATED,
        smp::Progress::Failed => OtrlSMProgState::OTRL_SMP_PROG_FAILED,
        smp::Progress::Succeeded => OtrlSMProgState::OTRL_SMP_PROG_SUCCEEDED,
    }
}

/// Gives a state the sign of a run.
///
/// # Safety
/// As for [`show`].
unsafe fn show_running(state: *mut OtrlSMState) {
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
pub(crate) unsafe fn numbers(state: *mut OtrlSMState) -> [*mut gcry_mpi_t; 11] {
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

/// Prepares this part of the library. There is nothing to prepare any more.
#[unsafe(no_mangle)]
pub extern "C" fn otrl_sm_init() {}

/// Releases what a state holds and gives it the numbers of a fresh one.
///
/// # Safety
/// As for `otrl_sm_state_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_state_init(smst: *mut OtrlSMState) {
    guard((), || {
        if smst.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe {
            if sm_numbers::initialise(smst).is_err() {
                otrl_sm_state_free(smst);
            }
        }
    });
}

/// Begins a comparison: makes message 1. `*output` becomes a buffer from
/// `malloc`, `*outputlen` its length; on an error they are NULL and 0.
///
/// # Safety
/// `astate` is NULL or valid and holds NULL or numbers of libgcrypt; `secret`
/// is NULL or has `secretlen` bytes; `output` and `outputlen` are NULL or
/// valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step1(
    astate: *mut OtrlSMAliceState,
    secret: *const c_uchar,
    secretlen: c_int,
    output: *mut *mut c_uchar,
    outputlen: *mut c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let out = Output::new(output, outputlen)?;
            let secret = input_bytes(secret, secretlen)?;
            if astate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            if (*astate).g1.is_null() {
                sm_numbers::initialise(astate)?;
            }
            let mut run = smp::Smp::new();
            let secret = smp::Secret::from_be_bytes(secret)?;
            let message = run.begin(&secret, None, &mut os_random())?;
            sm_numbers::surface(astate)?;
            (*astate).received_question = 0;
            sm_numbers::keep(astate, &run)?;
            out.write(&message.value)
        }
    })
}

/// Receives message 1: the user has to be asked for the secret, and
/// `otrl_sm_step2b` answers. `received_question` says whether a question came
/// with the message; it is not part of `input`.
///
/// # Safety
/// `bstate` is NULL or valid and holds NULL or numbers of libgcrypt; `input` is
/// NULL or has `inputlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step2a(
    bstate: *mut OtrlSMBobState,
    input: *const c_uchar,
    inputlen: c_int,
    received_question: c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let input = input_bytes(input, inputlen)?;
            if bstate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            if (*bstate).g1.is_null() {
                sm_numbers::initialise(bstate)?;
            }
            (*bstate).received_question = received_question;
            sm_numbers::surface(bstate)?;
            let run = smp::Smp::new();
            sm_numbers::receive(bstate, run, tlv::SMP1, input).map(drop)
        }
    })
}

/// Answers message 1: makes message 2. `*output` and `*outputlen` as for
/// `otrl_sm_step1`.
///
/// # Safety
/// As for `otrl_sm_step1`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step2b(
    bstate: *mut OtrlSMBobState,
    secret: *const c_uchar,
    secretlen: c_int,
    output: *mut *mut c_uchar,
    outputlen: *mut c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let out = Output::new(output, outputlen)?;
            let bytes = input_bytes(secret, secretlen)?;
            if bstate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let mut run = sm_numbers::take(bstate, Awaiting::Answer)?;
            let secret = smp::Secret::from_be_bytes(bytes)?;
            let message = run.answer(&secret, &mut os_random())?;
            bridge::release(&raw mut (*bstate).secret);
            (*bstate).secret = bridge::mpi(bytes)?;
            sm_numbers::keep(bstate, &run)?;
            out.write(&message.value)
        }
    })
}

/// Receives message 2: makes message 3. `*output` and `*outputlen` as for
/// `otrl_sm_step1`.
///
/// # Safety
/// As for `otrl_sm_step1`, with `input` in place of `secret`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step3(
    astate: *mut OtrlSMAliceState,
    input: *const c_uchar,
    inputlen: c_int,
    output: *mut *mut c_uchar,
    outputlen: *mut c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let out = Output::new(output, outputlen)?;
            let input = input_bytes(input, inputlen)?;
            if astate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let run = sm_numbers::take(astate, Awaiting::Message2)?;
            match sm_numbers::receive(astate, run, tlv::SMP2, input)? {
                smp::Outcome::Reply(message) => out.write(&message.value),
                _ => Err(gcry_error_t::INTERNAL),
            }
        }
    })
}

/// Receives message 3: makes message 4 and ends the comparison. Returns 0 if
/// the secrets are equal, and an error if they differ or the message is wrong;
/// `sm_prog_state` tells which. `*output` and `*outputlen` as for
/// `otrl_sm_step1`; there is a message if the secrets differ, too.
///
/// # Safety
/// As for `otrl_sm_step3`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step4(
    bstate: *mut OtrlSMBobState,
    input: *const c_uchar,
    inputlen: c_int,
    output: *mut *mut c_uchar,
    outputlen: *mut c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let out = Output::new(output, outputlen)?;
            let input = input_bytes(input, inputlen)?;
            if bstate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let run = sm_numbers::take(bstate, Awaiting::Message3)?;
            match sm_numbers::receive(bstate, run, tlv::SMP3, input)? {
                smp::Outcome::Compared {
                    reply: Some(message),
                    equal,
                    ..
                } => {
                    out.write(&message.value)?;
                    verdict(equal)
                }
                _ => Err(gcry_error_t::INTERNAL),
            }
        }
    })
}

/// Receives message 4 and ends the comparison. Returns 0 if the secrets are
/// equal, and an error if they differ or the message is wrong; `sm_prog_state`
/// tells which.
///
/// # Safety
/// `astate` is NULL or valid and holds NULL or numbers of libgcrypt; `input` is
/// NULL or has `inputlen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_sm_step5(
    astate: *mut OtrlSMAliceState,
    input: *const c_uchar,
    inputlen: c_int,
) -> gcry_error_t {
    guard_error(|| {
        // SAFETY: the caller's promise.
        unsafe {
            let input = input_bytes(input, inputlen)?;
            if astate.is_null() {
                return Err(gcry_error_t::INV_VALUE);
            }
            let run = sm_numbers::take(astate, Awaiting::Message4)?;
            match sm_numbers::receive(astate, run, tlv::SMP4, input)? {
                smp::Outcome::Compared { equal, .. } => verdict(equal),
                _ => Err(gcry_error_t::INTERNAL),
            }
        }
    })
}

fn verdict(equal: bool) -> Result<(), gcry_error_t> {
    if equal {
        Ok(())
    } else {
        Err(gcry_error_t::INV_VALUE)
    }
}

/// Bytes with a length of C's signed kind.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] for a negative length, or bytes that are
/// missing.
///
/// # Safety
/// `data` is NULL or has `len` bytes, unchanged while the slice is used.
unsafe fn input_bytes<'a>(data: *const c_uchar, len: c_int) -> Result<&'a [u8], gcry_error_t> {
    let len = usize::try_from(len).map_err(|_| gcry_error_t::INV_VALUE)?;
    if data.is_null() && len != 0 {
        return Err(gcry_error_t::INV_VALUE);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { alloc::slice(data, len) })
}

/// Where a message goes.
struct Output {
    data: *mut *mut c_uchar,
    len: *mut c_int,
}

impl Output {
    /// Begins with no message.
    ///
    /// # Errors
    /// [`gcry_error_t::INV_VALUE`] if there is no place for one.
    ///
    /// # Safety
    /// Both are NULL or valid.
    unsafe fn new(data: *mut *mut c_uchar, len: *mut c_int) -> Result<Self, gcry_error_t> {
        if data.is_null() || len.is_null() {
            return Err(gcry_error_t::INV_VALUE);
        }
        // SAFETY: the caller's promise.
        unsafe {
            *data = ptr::null_mut();
            *len = 0;
        }
        Ok(Self { data, len })
    }

    /// Hands a message to C.
    ///
    /// # Safety
    /// As for [`Self::new`].
    unsafe fn write(&self, message: &[u8]) -> Result<(), gcry_error_t> {
        let len = c_int::try_from(message.len()).map_err(|_| gcry_error_t::INV_VALUE)?;
        let copy = alloc::buffer(message);
        if copy.is_null() {
            return Err(gcry_error_t::ENOMEM);
        }
        // SAFETY: the caller's promise.
        unsafe {
            *self.data = copy;
            *self.len = len;
        }
        Ok(())
    }
}
