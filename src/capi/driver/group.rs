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
    /// The master, once it was asked for.
    master: Option<Place>,
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
            Self::Lent(_, loan) => &mut loan.value().instance,
            Self::New(instance) | Self::Busy(instance) => instance,
        }
    }
}

/// The master, and the contexts that a step worked on.
pub(super) struct Worked {
    us: OtrlUserState,
    master: Handle,
    child: Option<(InstanceTag, Handle)>,
    earlier: Vec<(InstanceTag, Handle)>,
}

impl Worked {
    /// The context of an instance, if it still exists.
    pub(super) fn get(&self, which: Which) -> Option<*mut ConnContext> {
        let handle = match which {
            Which::Master => self.master,
            Which::Child(tag) => {
                let mut children = self.child.iter().chain(&self.earlier);
                children.find(|(known, _)| *known == tag)?.1
            }
        };
        // SAFETY: the user state outlives the call that the step serves.
        unsafe { handle.get() }
    }

    fn add(&mut self, tag: InstanceTag, context: *mut ConnContext) {
        let entry = (tag, Handle::new(self.us, context));
        if let Some(before) = self.child.replace(entry) {
            self.earlier.push(before);
        }
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
            master: None,
            child: None,
            earlier: Vec::new(),
        }
    }

    /// Whether the step has made an instance that has no context yet.
    pub(super) fn has_new(&self) -> bool {
        let mut children = self.child.iter().chain(&self.earlier);
        children.any(|child| matches!(child.place, Place::New(_)))
    }

    /// Ends the step: every state goes back to its context, and new instances
    /// get one.
    ///
    /// # Safety
    /// As for [`Lending::new`], up to here. From here on callbacks run.
    pub(super) unsafe fn give_back(self, names: &Names, newcomers: Newcomers) -> Worked {
        // SAFETY: the caller's promise.
        let (mut worked, new) = unsafe { self.put_back() };
        for (tag, instance) in new {
            // SAFETY: the user state and the names are valid.
            let context = unsafe { add(worked.us, names, instance.theirs, newcomers) };
            if !context.is_null() {
                // SAFETY: the context was just made.
                unsafe { state::adopt(context, *instance) };
                worked.add(tag, context);
            }
        }
        worked
    }

    /// Ends the step; returns the new instances, which have no context.
    ///
    /// # Safety
    /// As for [`Lending::new`], up to here.
    pub(super) unsafe fn put_back(self) -> (Worked, Vec<(InstanceTag, Box<Instance>)>) {
        let mut worked = Worked {
            us: self.us,
            master: Handle::new(self.us, self.root),
            child: None,
            earlier: Vec::new(),
        };
        if let Some(Place::Lent(context, loan)) = self.master {
            // SAFETY: the caller's promise.
            unsafe { state::give_back(context, loan) };
        }
        let mut new = Vec::new();
        let mut end = |Child { tag, place }| match place {
            Place::Lent(context, loan) => {
                // SAFETY: the caller's promise.
                unsafe { state::give_back(context, loan) };
                worked.add(tag, context);
            }
            Place::New(instance) => new.push((tag, instance)),
            Place::Busy(_) => {}
        };
        if !self.earlier.is_empty() {
            self.earlier.into_iter().for_each(&mut end);
        }
        if let Some(child) = self.child {
            end(child);
        }
        (worked, new)
    }

    /// The master, lent if it was not asked for before.
    fn master(slot: &mut Option<Place>, root: *mut ConnContext) -> &mut Place {
        // SAFETY: the promise made to `new`.
        slot.get_or_insert_with(|| unsafe { Place::of(root, InstanceTag::NONE) })
    }

    /// The child with this tag, if it was asked for before; it is then the
    /// one that was asked for last.
    fn turn_to(&mut self, tag: InstanceTag) -> bool {
        let same = |child: &Child| child.tag == tag;
        if self.child.as_ref().is_some_and(same) {
            return true;
        }
        let before = self.earlier.iter().position(same);
        let before = before.map(|position| self.earlier.swap_remove(position));
        let known = before.is_some();
        self.earlier
            .extend(core::mem::replace(&mut self.child, before));
        known
    }

    /// The child with this tag, lent if it was not asked for before.
    fn child(&mut self, tag: InstanceTag) -> &mut Place {
        self.turn_to(tag);
        let (us, root) = (self.us, self.root);
        let child = self.child.get_or_insert_with(|| Child {
            tag,
            // SAFETY: the promise made to `new`.
            place: unsafe { Place::of(child_of(us, root, tag), tag) },
        });
        &mut child.place
    }
}

impl Group for Lending {
    fn knows(&mut self, tag: InstanceTag) -> bool {
        if self.turn_to(tag) {
            return true;
        }
        // SAFETY: the promise made to `new`.
        unsafe {
            let context = child_of(self.us, self.root, tag);
            if context.is_null() {
                return false;
            }
            let place = Place::of(context, tag);
            self.child = Some(Child { tag, place });
        }
        true
    }

    fn instance(&mut self, which: Which) -> &mut Instance {
        match which {
            Which::Master => Self::master(&mut self.master, self.root),
            Which::Child(tag) => self.child(tag),
        }
        .instance()
    }

    fn our_tag(&mut self) -> InstanceTag {
        match &mut self.master {
            Some(master) => master.instance().ours,
            // SAFETY: the promise made to `new`.
            None => InstanceTag::new(unsafe { (*self.root).our_instance }),
        }
    }

    /// Almost every message comes whole, with the master's state at rest.
    fn drop_pieces(&mut self, which: Which) {
        let at_rest = which == Which::Master
            && self.master.is_none()
            // SAFETY: the promise made to `new`.
            && unsafe { !state::has_pieces(self.root) };
        if !at_rest {
            self.instance(which).fragments.clear();
        }
    }

    fn note_answer(&mut self, which: Which, speaks_otr: bool) {
        if which == Which::Master && self.master.is_none() {
            // SAFETY: the promise made to `new`.
            unsafe { state::note_answer(self.root, speaks_otr) };
        } else {
            self.instance(which).note_answer(speaks_otr);
        }
    }

    fn instance_and_master(&mut self, which: Which) -> (&mut Instance, Option<&Ake>) {
        let Which::Child(tag) = which else {
            return (self.instance(which), None);
        };
        self.child(tag);
        let master = Self::master(&mut self.master, self.root);
        match &mut self.child {
            Some(child) => (child.place.instance(), Some(&master.instance().ake)),
            // Cannot be: it was just asked for.
            None => (master.instance(), None),
        }
    }
}

/// How many contexts of a peer are looked at one by one. Few have more.
const NEAR: usize = 8;

/// The context for an instance of the peer that `master` stands for, or NULL.
///
/// # Safety
/// `master` is a master context in the list of `us`.
unsafe fn child_of(
    us: OtrlUserState,
    master: *mut ConnContext,
    tag: InstanceTag,
) -> *mut ConnContext {
    // SAFETY: the caller's promise.
    unsafe {
        for node in conversation::group(master).take(NEAR) {
            if (*node).their_instance == tag.get() {
                return node;
            }
        }
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
