//! `tlv.h`: the records that travel inside data messages.

use core::ffi::{c_uchar, c_ushort};
use core::ptr;

use super::alloc;
use super::guard::guard;
use crate::wire::tlv::{Tlv, parse};

/// A record of a type and a value.
#[repr(C)]
pub struct s_OtrlTLV {
    /// The type.
    pub r#type: c_ushort,
    /// The length of `data` in bytes.
    pub len: c_ushort,
    /// The value, from `malloc`. A NUL that does not count follows it.
    pub data: *mut c_uchar,
    /// The next record, or NULL.
    pub next: *mut s_OtrlTLV,
}

/// A record of a type and a value.
pub type OtrlTLV = s_OtrlTLV;

/// Means nothing.
pub const OTRL_TLV_PADDING: u32 = 0x0000;
/// The sender has forgotten the keys of the conversation.
pub const OTRL_TLV_DISCONNECTED: u32 = 0x0001;
/// First message of a comparison of secrets.
pub const OTRL_TLV_SMP1: u32 = 0x0002;
/// Second message of a comparison of secrets.
pub const OTRL_TLV_SMP2: u32 = 0x0003;
/// Third message of a comparison of secrets.
pub const OTRL_TLV_SMP3: u32 = 0x0004;
/// Fourth message of a comparison of secrets.
pub const OTRL_TLV_SMP4: u32 = 0x0005;
/// The comparison of secrets is off.
pub const OTRL_TLV_SMP_ABORT: u32 = 0x0006;
/// First message of a comparison of secrets, with a question: text, NUL, and
/// the value that the first message has without one.
pub const OTRL_TLV_SMP1Q: u32 = 0x0007;
/// The extra symmetric key is about to be used: four bytes that say for what,
/// and data that depend on it.
pub const OTRL_TLV_SYMKEY: u32 = 0x0008;

/// Makes a record with a copy of `len` bytes. NULL without memory, or if `data`
/// is NULL although `len` is not 0.
///
/// # Safety
/// `data` is NULL or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_new(
    r#type: c_ushort,
    len: c_ushort,
    data: *const c_uchar,
) -> *mut OtrlTLV {
    guard(ptr::null_mut(), || {
        if data.is_null() && len != 0 {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        new(r#type, unsafe { alloc::slice(data, usize::from(len)) })
    })
}

/// Makes a chain of the records in `seriallen` bytes. A record that is cut off
/// ends the chain. NULL if there is none.
///
/// # Safety
/// `serialized` is NULL or has `seriallen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_parse(
    serialized: *const c_uchar,
    seriallen: usize,
) -> *mut OtrlTLV {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        chain(&parse(unsafe { alloc::slice(serialized, seriallen) }))
    })
}

/// Releases a chain of records.
///
/// # Safety
/// `tlv` is NULL or a valid record that is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_free(tlv: *mut OtrlTLV) {
    guard((), || {
        let mut at = tlv;
        // SAFETY: the caller's promise; each record is read before it goes.
        unsafe {
            while !at.is_null() {
                let next = (*at).next;
                alloc::wipe_buffer((*at).data, usize::from((*at).len));
                alloc::free(at);
                at = next;
            }
        }
    });
}

/// The number of bytes that a chain takes when it is sent.
///
/// # Safety
/// `tlv` is NULL or a valid record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_seriallen(tlv: *const OtrlTLV) -> usize {
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { records(tlv) }
            .map(|record| record.value.len().saturating_add(4))
            .fold(0, usize::saturating_add)
    })
}

/// Writes a chain as it is sent.
///
/// # Safety
/// `tlv` is NULL or a valid record; `buf` has room for as many bytes as
/// `otrl_tlv_seriallen` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_serialize(buf: *mut c_uchar, tlv: *const OtrlTLV) {
    guard((), || {
        if buf.is_null() {
            return;
        }
        let mut at = buf;
        // SAFETY: the caller's promise; there is room for all records.
        unsafe {
            for record in records(tlv) {
                let [k0, k1] = record.kind.to_be_bytes();
                let [l0, l1] = (*record.node).len.to_be_bytes();
                at = at.add(alloc::copy_out(&[k0, k1, l0, l1], at));
                at = at.add(alloc::copy_out(record.value, at));
            }
        }
    });
}

/// The first record of a type in a chain, or NULL.
///
/// # Safety
/// `tlvs` is NULL or a valid record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otrl_tlv_find(tlvs: *mut OtrlTLV, r#type: c_ushort) -> *mut OtrlTLV {
    guard(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { records(tlvs) }
            .find(|record| record.kind == r#type)
            .map_or(ptr::null_mut(), |record| record.node.cast_mut())
    })
}

/// A record of a chain that C holds.
pub(crate) struct Record<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
    node: *const OtrlTLV,
}

/// The records of a chain.
///
/// # Safety
/// `first` is NULL or a valid record; the chain stays as it is while the
/// records are used.
pub(crate) unsafe fn records<'a>(first: *const OtrlTLV) -> impl Iterator<Item = Record<'a>> {
    let mut at = first;
    core::iter::from_fn(move || {
        let node = at;
        if node.is_null() {
            return None;
        }
        // SAFETY: the caller's promise.
        unsafe {
            at = (*node).next;
            Some(Record {
                kind: (*node).r#type,
                value: alloc::slice((*node).data, usize::from((*node).len)),
                node,
            })
        }
    })
}

/// A copy of a chain for the core.
///
/// # Safety
/// `first` is NULL or a valid record.
pub(crate) unsafe fn copy_in(first: *const OtrlTLV) -> Vec<Tlv> {
    // SAFETY: the caller's promise.
    unsafe { records(first) }
        .map(|record| Tlv::new(record.kind, record.value.to_vec()))
        .collect()
}

/// A copy of records for C. NULL if there are none, or without memory.
pub(crate) fn chain(tlvs: &[Tlv]) -> *mut OtrlTLV {
    let mut first = ptr::null_mut();
    for tlv in tlvs.iter().rev() {
        let record = new(tlv.kind, &tlv.value);
        // SAFETY: made here; what follows was made before.
        unsafe {
            if record.is_null() {
                otrl_tlv_free(first);
                return ptr::null_mut();
            }
            (*record).next = first;
        }
        first = record;
    }
    first
}

/// Makes a record. NULL without memory, or if the value is too long.
fn new(kind: u16, value: &[u8]) -> *mut OtrlTLV {
    let Ok(len) = c_ushort::try_from(value.len()) else {
        return ptr::null_mut();
    };
    let record = alloc::zeroed::<OtrlTLV>();
    // SAFETY: made here.
    unsafe {
        if record.is_null() {
            return record;
        }
        (*record).r#type = kind;
        (*record).len = len;
        (*record).data = alloc::c_string(value).cast();
        if (*record).data.is_null() {
            alloc::free(record);
            return ptr::null_mut();
        }
    }
    record
}
