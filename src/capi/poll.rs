//! Which contexts wait for an answer to a D-H Commit, so that the timer need
//! not walk all contexts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::now;
use super::contacts::Handle;
use super::context::ConnContext;
use super::driver::App;
use super::state;
use super::userstate::OtrlUserState;
use super::vault::{ByAddress, trim};
use crate::session;

/// A context that waits.
struct Waiting(Handle);

// SAFETY: the context is only used by the thread that owns its user state.
unsafe impl Send for Waiting {}

/// The waiting contexts of each user state, by its address.
static WAITING: Mutex<HashMap<usize, Vec<Waiting>, ByAddress>> =
    Mutex::new(HashMap::with_hasher(std::hash::BuildHasherDefault::new()));

fn waiting() -> MutexGuard<'static, HashMap<usize, Vec<Waiting>, ByAddress>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a master context waits.
pub(super) fn wait(us: OtrlUserState, context: *mut ConnContext) {
    let mut table = waiting();
    let contexts = table.entry(us.addr()).or_default();
    // A context that waits already, or one before it at the same address.
    contexts.retain(|waiting| waiting.0.address() != context);
    contexts.push(Waiting(Handle::new(us, context)));
}

/// Forgets what belongs to a user state.
pub(super) fn forget(us: OtrlUserState) {
    let mut table = waiting();
    table.remove(&us.addr());
    trim(&mut table);
}

/// Ends the exchanges that nobody answered in time, and the timer with the
/// last of them.
///
/// # Safety
/// The promise made to [`App::new`] holds.
pub(super) unsafe fn poll(app: App) {
    let mut contexts = waiting().remove(&app.us.addr()).unwrap_or_default();
    let now = now();
    contexts.retain(|Waiting(handle)| {
        // SAFETY: the caller's promise; the context exists if the handle says so.
        unsafe {
            handle.get().is_some_and(|context| {
                state::step(context, |master| session::expire(master, now)).unwrap_or(true)
            })
        }
    });
    if !contexts.is_empty() {
        waiting().insert(app.us.addr(), contexts);
        return;
    }
    if app.has_timer() {
        // Compatibility: said again every time, even if no timer runs.
        app.timer_control(0);
        // SAFETY: the caller's promise.
        unsafe { (*app.us).timer_running = 0 };
    }
}
