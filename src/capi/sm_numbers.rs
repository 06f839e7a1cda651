//! Comparisons of secrets between the fields of `OtrlSMState` and the core.
//!
//! A run lives in one of two places. The functions of `sm.h`, which a program
//! may call one by one on a structure of its own, keep it in the structure, as
//! numbers of libgcrypt. The functions of `message.h` keep it with the rest of
//! the conversation, and show no more of it than whether there is one. Each
//! takes over from the other what it finds.

use core::mem::MaybeUninit;

use zeroize::Zeroizing;

use super::bridge;
use super::gcrypt::{gcry_error_t, gcry_mpi_t};
use super::open_enum::read_or;
use super::sm::{NextExpectedSMP, OtrlSMProgState, OtrlSMState};
use super::{blank, state};
use crate::Error;
use crate::crypto::os_random;
use crate::smp::parts::Parts;
use crate::smp::{Outcome, Progress, Smp};
use crate::wire::tlv::Tlv;

type Number = Zeroizing<Vec<u8>>;

/// The message that is to be handled next, and with it what the numbers mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaiting {
    /// The user's answer to message 1.
    Answer,
    /// Message 2.
    Message2,
    /// Message 3.
    Message3,
    /// Message 4.
    Message4,
}

/// Puts a number in place of what a field holds; NULL if there is none.
///
/// # Safety
/// `field` points to NULL or a number of libgcrypt.
unsafe fn put(field: *mut gcry_mpi_t, number: Option<&Number>) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let new = number.map(|number| bridge::mpi(number)).transpose()?;
        bridge::release(field);
        *field = new.unwrap_or(core::ptr::null_mut());
    }
    Ok(())
}

/// Releases the numbers of a state and gives it the values of a fresh one.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// `state` is valid and holds NULL or numbers of libgcrypt.
pub(crate) unsafe fn initialise(state: *mut OtrlSMState) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        bridge::gcrypt()?;
        super::sm::otrl_sm_state_free(state);
        (*state).g1 = bridge::mpi(&[2])?;
        for field in [
            &raw mut (*state).secret,
            &raw mut (*state).g2,
            &raw mut (*state).g3,
            &raw mut (*state).g3o,
            &raw mut (*state).p,
            &raw mut (*state).q,
            &raw mut (*state).pab,
            &raw mut (*state).qab,
        ] {
            *field = bridge::mpi(&[])?;
        }
    }
    Ok(())
}

/// Writes the numbers of a run. A number that the run does not need any more
/// stays as it is.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`initialise`].
unsafe fn show(state: *mut OtrlSMState, run: &Parts) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        match run {
            Parts::Idle => {}
            Parts::Asked { g2a, g3a } => {
                put(&raw mut (*state).g2, Some(g2a))?;
                put(&raw mut (*state).g3o, Some(g3a))?;
            }
            Parts::Begun { x, a2, a3 } => {
                put(&raw mut (*state).secret, Some(x))?;
                put(&raw mut (*state).x2, Some(a2))?;
                put(&raw mut (*state).x3, Some(a3))?;
            }
            Parts::Answered {
                b3,
                g3a,
                g2,
                g3,
                pb,
                qb,
            } => {
                put(&raw mut (*state).x3, Some(b3))?;
                put(&raw mut (*state).g3o, Some(g3a))?;
                put(&raw mut (*state).g2, Some(g2))?;
                put(&raw mut (*state).g3, Some(g3))?;
                put(&raw mut (*state).p, Some(pb))?;
                put(&raw mut (*state).q, Some(qb))?;
            }
            Parts::Committed { a3, g3b, pab, qab } => {
                put(&raw mut (*state).x3, Some(a3))?;
                put(&raw mut (*state).g3o, Some(g3b))?;
                put(&raw mut (*state).pab, Some(pab))?;
                put(&raw mut (*state).qab, Some(qab))?;
            }
        }
    }
    Ok(())
}

/// Reads the numbers of a run that is in the structure.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if a number is missing.
///
/// # Safety
/// As for [`initialise`].
unsafe fn read(state: *mut OtrlSMState, awaiting: Awaiting) -> Result<Parts, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let number = |field: gcry_mpi_t| bridge::mpi_bytes(field);
        Ok(match awaiting {
            Awaiting::Answer => Parts::Asked {
                g2a: number((*state).g2)?,
                g3a: number((*state).g3o)?,
            },
            Awaiting::Message2 => Parts::Begun {
                x: number((*state).secret)?,
                a2: number((*state).x2)?,
                a3: number((*state).x3)?,
            },
            Awaiting::Message3 => Parts::Answered {
                b3: number((*state).x3)?,
                g3a: number((*state).g3o)?,
                g2: number((*state).g2)?,
                g3: number((*state).g3)?,
                pb: number((*state).p)?,
                qb: number((*state).q)?,
            },
            Awaiting::Message4 => Parts::Committed {
                a3: number((*state).x3)?,
                g3b: number((*state).g3o)?,
                pab: number((*state).pab)?,
                qab: number((*state).qab)?,
            },
        })
    }
}

/// The run in a structure, whichever place it lives in.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`] if there is none at this point.
///
/// # Safety
/// As for [`initialise`].
pub(crate) unsafe fn take(
    state: *mut OtrlSMState,
    awaiting: Awaiting,
) -> Result<Smp, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        surface(state)?;
        let question = (*state).received_question != 0;
        let run = read(state, awaiting)?;
        Ok(Smp::from_parts(&run, Progress::Ok, question)?)
    }
}

/// Shows in the structure what became of a run.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`initialise`].
pub(crate) unsafe fn keep(state: *mut OtrlSMState, run: &Smp) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        (*state).sm_prog_state = MaybeUninit::new(match run.progress() {
            Progress::Ok => OtrlSMProgState::OTRL_SMP_PROG_OK,
            Progress::Cheated => OtrlSMProgState::OTRL_SMP_PROG_CHEATED,
            Progress::Failed => OtrlSMProgState::OTRL_SMP_PROG_FAILED,
            Progress::Succeeded => OtrlSMProgState::OTRL_SMP_PROG_SUCCEEDED,
        });
        show(state, &run.parts())
    }
}

/// Lets a run handle a record. A record that is wrong counts as cheating and is
/// an error; the numbers are then as they were.
///
/// # Errors
/// [`gcry_error_t::INV_VALUE`].
///
/// # Safety
/// As for [`initialise`].
pub(crate) unsafe fn receive(
    state: *mut OtrlSMState,
    mut run: Smp,
    kind: u16,
    input: &[u8],
) -> Result<Outcome, gcry_error_t> {
    // SAFETY: the caller's promise.
    unsafe {
        (*state).sm_prog_state = MaybeUninit::new(OtrlSMProgState::OTRL_SMP_PROG_CHEATED);
        let outcome = run.receive(&Tlv::new(kind, input.to_vec()), &mut os_random())?;
        match outcome {
            Outcome::Cheated { .. } | Outcome::Unexpected | Outcome::Aborted => {
                return Err(Error::BadProof.into());
            }
            _ => keep(state, &run)?,
        }
        Ok(outcome)
    }
}

/// Moves a run that the conversation keeps into the structure.
///
/// # Errors
/// Without libgcrypt.
///
/// # Safety
/// As for [`initialise`].
pub(crate) unsafe fn surface(state: *mut OtrlSMState) -> Result<(), gcry_error_t> {
    // SAFETY: the caller's promise; a context is valid as long as its parts.
    unsafe {
        let Some(context) = blank::owner_of_comparison(state) else {
            return Ok(());
        };
        let Some(run) = state::take_comparison(context) else {
            return Ok(());
        };
        (*state).received_question = run.received_question().into();
        show(state, &run.parts())
    }
}

/// Moves a run that is in the structure out of it, for the conversation to
/// keep.
///
/// # Safety
/// `state` is NULL, or as for [`initialise`].
pub(crate) unsafe fn submerge(state: *mut OtrlSMState) -> Option<Smp> {
    // SAFETY: the caller's promise.
    unsafe {
        if state.is_null() || !is_here(state) {
            return None;
        }
        let awaiting = match read_or((*state).nextExpected, NextExpectedSMP::OTRL_SMP_EXPECT5) {
            NextExpectedSMP::OTRL_SMP_EXPECT1 => Awaiting::Answer,
            NextExpectedSMP::OTRL_SMP_EXPECT2 => Awaiting::Message2,
            NextExpectedSMP::OTRL_SMP_EXPECT3 => Awaiting::Message3,
            NextExpectedSMP::OTRL_SMP_EXPECT4 => Awaiting::Message4,
            NextExpectedSMP::OTRL_SMP_EXPECT5 => return None,
        };
        let question = (*state).received_question != 0;
        let run = read(state, awaiting)
            .ok()
            .and_then(|run| Smp::from_parts(&run, Progress::Ok, question).ok());
        for field in super::sm::numbers(state) {
            if field != &raw mut (*state).secret {
                bridge::release(field);
            }
        }
        run
    }
}

/// Whether a run lives in the structure and has not ended.
///
/// # Safety
/// As for [`initialise`].
unsafe fn is_here(state: *mut OtrlSMState) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        // The first is the side that has begun or answered, the second the one
        // that is asked.
        let begun = !(*state).x3.is_null();
        let asked = !(*state).g3o.is_null()
            && bridge::mpi_bytes((*state).g3o).is_ok_and(|number| !number.is_empty());
        let going_on = read_or(
            (*state).sm_prog_state,
            OtrlSMProgState::OTRL_SMP_PROG_FAILED,
        ) == OtrlSMProgState::OTRL_SMP_PROG_OK;
        (begun || asked) && going_on
    }
}
