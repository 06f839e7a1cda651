//! The contexts of one peer, lent to a step as the core's [`Group`].

use core::ffi::{c_int, c_void};
use core::ptr;

use super::Names;
use crate::InstanceTag;
use crate::ake::Ake;
use crate::capi::contacts::Handle;
use crate::capi::context::{ConnContext, otrl_context_find};
use crate::capi::conversation;
use crate::capi::state::{self, State};
use crate::capi::userstate::OtrlUserState;
use crate::capi::vault::Loan;
use crate::session::{Group, Instance, Which};

/// The application's function that gets each new context.
pub(in crate::capi) type AddAppData = unsafe extern "C" fn(*mut c_void, *mut ConnContext);

/// How new contexts are announced to the application.
#[derive(Clone, Copy)]
pub(in crate::capi) struct Newcomers {
    pub(in crate::capi) add: Option<AddAppData>,
    pub(in crate::capi) data: *mut c_void,
}

/// The contexts of one peer while a step works on them.
pub(super) struct Lending {
    us: OtrlUserState,
    root: *mut ConnContext,
    master: Place,
    /// The child that was asked for last.
    child: Option<Child>,
    /// Children asked for before. A message concerns one, but a message in
    /// pieces may turn out to be for another than the pieces said.
    earlier: Vec<Child>,
}

struct Child {
    tag: InstanceTag,
    place: Place,
}

enum Place {
    /// A context's state.
    Lent(*mut ConnContext, Loan<'static, ConnContext, State>),
    /// An instance that has no context yet.
    New(Box<Instance>),
    /// Stands in for a state that another step is at work on, which only a
    /// program that uses one user state from two threads brings about. What
    /// happens to it is forgotten.
    Busy(Box<Instance>),
}

impl Place {
    /// # Safety
    /// `context` is NULL or a context.
    unsafe fn of(context: *mut ConnContext, theirs: InstanceTag) -> Self {
        let blank = || Box::new(Instance::new(InstanceTag::NONE, theirs));
        if context.is_null() {
            return Self::New(blank());
        }
        // SAFETY: the caller's promise.
        match unsafe { state::take(context) } {
            Some(loan) => Self::Lent(context, loan),
            None => Self::Busy(blank()),
        }
    }

    fn instance(&mut self) -> &mut Instance {
        match self {
            Self::Lent(_, loan) => &mut loan.value.instance,
            Self::New(instance) | Self::Busy(instance) => instance,
        }
    }
}

/// The contexts that a step worked on.
#[derive(Default)]
pub(super) struct Worked {
    handles: Vec<(Which, Handle)>,
}

impl Worked {
    /// The context of an instance, if it still exists.
    pub(super) fn get(&self, which: Which) -> Option<*mut ConnContext> {
        self.handles
            .iter()
            .find(|(known, _)| *known == which)
            // SAFETY: the user state outlives the call that the step serves.
            .and_then(|(_, handle)| unsafe { handle.get() })
    }

    fn add(&mut self, us: OtrlUserState, which: Which, context: *mut ConnContext) {
        self.handles.push((which, Handle::new(us, context)));
    }
}

impl Lending {
    /// # Safety
    /// `master` is a master context in the list of `us`, and no callback runs
    /// while the value is used.
    pub(super) unsafe fn new(us: OtrlUserState, master: *mut ConnContext) -> Self {
        Self {
            us,
            root: master,
            // SAFETY: the caller's promise.
            master: unsafe { Place::of(master, InstanceTag::NONE) },
            child: None,
            earlier: Vec::new(),
        }
    }

    /// Ends the step: every state goes back to its context, and new instances
    /// get one.
    ///
    /// # Safety
    /// As for [`Lending::new`], up to here. From here on callbacks run.
    pub(super) unsafe fn give_back(self, names: &Names, newcomers: Newcomers) -> Worked {
        let mut worked = Worked::default();
        let mut new = Vec::new();
        let children = self.earlier.into_iter().chain(self.child);
        let children = children.map(|child| (Which::Child(child.tag), child.place));
        for (which, place) in core::iter::once((Which::Master, self.master)).chain(children) {
            match place {
                Place::Lent(context, loan) => {
                    // SAFETY: the caller's promise.
                    unsafe { state::give_back(context, loan) };
                    worked.add(self.us, which, context);
                }
                Place::New(instance) => new.push((which, instance)),
                Place::Busy(_) => {}
            }
        }
        for (which, instance) in new {
            // SAFETY: the user state and the names are valid.
            let context = unsafe { add(self.us, names, instance.theirs, newcomers) };
            if !context.is_null() {
                // SAFETY: the context was just made.
                unsafe { state::adopt(context, *instance) };
                worked.add(self.us, which, context);
            }
        }
        worked
    }

    fn place(&mut self, which: Which) -> (&mut Place, Option<&mut Place>) {
        let Which::Child(tag) = which else {
            return (&mut self.master, None);
        };
        if self.child.as_ref().is_some_and(|child| child.tag != tag) {
            let same = |child: &Child| child.tag == tag;
            let before = self.earlier.iter().position(same);
            let before = before.map(|position| self.earlier.swap_remove(position));
            self.earlier
                .extend(core::mem::replace(&mut self.child, before));
        }
        let (us, root) = (self.us, self.root);
        let child = self.child.get_or_insert_with(|| Child {
            tag,
            // SAFETY: the promise made to `new`.
            place: unsafe { Place::of(child_of(us, root, tag), tag) },
        });
        (&mut child.place, Some(&mut self.master))
    }
}

impl Group for Lending {
    fn knows(&mut self, tag: InstanceTag) -> bool {
        self.earlier.iter().chain(&self.child).any(|child| child.tag == tag)
            // SAFETY: the promise made to `new`.
            || !unsafe { child_of(self.us, self.root, tag) }.is_null()
    }

    fn instance(&mut self, which: Which) -> &mut Instance {
        self.place(which).0.instance()
    }

    fn instance_and_master(&mut self, which: Which) -> (&mut Instance, Option<&Ake>) {
        let (place, master) = self.place(which);
        (
            place.instance(),
            master.map(|master| &master.instance().ake),
        )
    }
}

/// The context for an instance of the peer that `master` stands for, or NULL.
///
/// # Safety
/// `master` is a context in the list of `us`.
unsafe fn child_of(
    us: OtrlUserState,
    master: *mut ConnContext,
    tag: InstanceTag,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        otrl_context_find(
            us,
            (*master).username,
            (*master).accountname,
            (*master).protocol,
            tag.get(),
            0,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
        )
    }
}

/// Makes a context for a new instance, or uses one again that is of no use
/// any more.
///
/// # Safety
/// `us` is a user state.
unsafe fn add(
    us: OtrlUserState,
    names: &Names,
    tag: InstanceTag,
    newcomers: Newcomers,
) -> *mut ConnContext {
    let find = |tag: u32, add: c_int| {
        // SAFETY: the caller's promise.
        unsafe {
            otrl_context_find(
                us,
                names.peer().as_ptr(),
                names.account().as_ptr(),
                names.protocol().as_ptr(),
                tag,
                add,
                ptr::null_mut(),
                newcomers.add,
                newcomers.data,
            )
        }
    };
    let master = find(0, 0);
    if !master.is_null() {
        // SAFETY: the master was just found.
        let recycled = unsafe { conversation::recycle(us, master, tag.get()) };
        if let Some(context) = recycled {
            return context;
        }
    }
    find(tag.get(), 1)
}
