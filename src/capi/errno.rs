//! The numbers that libgpg-error gives to the system's errors.
//!
//! They do not depend on the system: each name of an `errno` value has its
//! place in one list, and the place is the number.

use core::ffi::c_int;

/// What errors of the system have in common.
const SYSTEM_ERROR: u32 = 1 << 15;
/// An `errno` value that the list does not know.
const UNKNOWN_ERRNO: u32 = 16382;

/// The code for a value of `errno`.
pub(crate) fn code_of(errno: c_int) -> u32 {
    PLACES
        .iter()
        .find(|(value, _)| *value == errno)
        .map_or(UNKNOWN_ERRNO, |(_, place)| SYSTEM_ERROR | place)
}

/// The value of `errno` that a code stands for.
#[cfg(test)]
fn errno_of(code: u32) -> Option<c_int> {
    PLACES
        .iter()
        .find(|(_, place)| SYSTEM_ERROR | place == code)
        .map(|(value, _)| *value)
}

#[rustfmt::skip]
const PLACES: &[(c_int, u32)] = &[
    (libc::E2BIG, 0),
    (libc::EACCES, 1),
    (libc::EADDRINUSE, 2),
    (libc::EADDRNOTAVAIL, 3),
    (libc::EADV, 4),
    (libc::EAFNOSUPPORT, 5),
    (libc::EAGAIN, 6),
    (libc::EALREADY, 7),
    (libc::EBADE, 10),
    (libc::EBADF, 11),
    (libc::EBADFD, 12),
    (libc::EBADMSG, 13),
    (libc::EBADR, 14),
    (libc::EBADRQC, 16),
    (libc::EBADSLT, 17),
    (libc::EBFONT, 18),
    (libc::EBUSY, 19),
    (libc::ECANCELED, 20),
    (libc::ECHILD, 21),
    (libc::ECHRNG, 22),
    (libc::ECOMM, 23),
    (libc::ECONNABORTED, 24),
    (libc::ECONNREFUSED, 25),
    (libc::ECONNRESET, 26),
    (libc::EDEADLK, 28),
    (libc::EDESTADDRREQ, 30),
    (libc::EDOM, 32),
    (libc::EDOTDOT, 33),
    (libc::EDQUOT, 34),
    (libc::EEXIST, 35),
    (libc::EFAULT, 36),
    (libc::EFBIG, 37),
    (libc::EHOSTDOWN, 41),
    (libc::EHOSTUNREACH, 42),
    (libc::EIDRM, 43),
    (libc::EILSEQ, 45),
    (libc::EINPROGRESS, 46),
    (libc::EINTR, 47),
    (libc::EINVAL, 48),
    (libc::EIO, 49),
    (libc::EISCONN, 50),
    (libc::EISDIR, 51),
    (libc::EISNAM, 52),
    (libc::EL2HLT, 53),
    (libc::EL2NSYNC, 54),
    (libc::EL3HLT, 55),
    (libc::EL3RST, 56),
    (libc::ELIBACC, 57),
    (libc::ELIBBAD, 58),
    (libc::ELIBEXEC, 59),
    (libc::ELIBMAX, 60),
    (libc::ELIBSCN, 61),
    (libc::ELNRNG, 62),
    (libc::ELOOP, 63),
    (libc::EMEDIUMTYPE, 64),
    (libc::EMFILE, 65),
    (libc::EMLINK, 66),
    (libc::EMSGSIZE, 67),
    (libc::EMULTIHOP, 68),
    (libc::ENAMETOOLONG, 69),
    (libc::ENAVAIL, 70),
    (libc::ENETDOWN, 72),
    (libc::ENETRESET, 73),
    (libc::ENETUNREACH, 74),
    (libc::ENFILE, 75),
    (libc::ENOANO, 76),
    (libc::ENOBUFS, 77),
    (libc::ENOCSI, 78),
    (libc::ENODATA, 79),
    (libc::ENODEV, 80),
    (libc::ENOENT, 81),
    (libc::ENOEXEC, 82),
    (libc::ENOLCK, 83),
    (libc::ENOLINK, 84),
    (libc::ENOMEDIUM, 85),
    (libc::ENOMEM, 86),
    (libc::ENOMSG, 87),
    (libc::ENONET, 88),
    (libc::ENOPKG, 89),
    (libc::ENOPROTOOPT, 90),
    (libc::ENOSPC, 91),
    (libc::ENOSR, 92),
    (libc::ENOSTR, 93),
    (libc::ENOSYS, 94),
    (libc::ENOTBLK, 95),
    (libc::ENOTCONN, 96),
    (libc::ENOTDIR, 97),
    (libc::ENOTEMPTY, 98),
    (libc::ENOTNAM, 99),
    (libc::ENOTSOCK, 100),
    (libc::ENOTTY, 102),
    (libc::ENOTUNIQ, 103),
    (libc::ENXIO, 104),
    (libc::EOPNOTSUPP, 105),
    (libc::EOVERFLOW, 106),
    (libc::EPERM, 107),
    (libc::EPFNOSUPPORT, 108),
    (libc::EPIPE, 109),
    (libc::EPROTO, 114),
    (libc::EPROTONOSUPPORT, 115),
    (libc::EPROTOTYPE, 116),
    (libc::ERANGE, 117),
    (libc::EREMCHG, 118),
    (libc::EREMOTE, 119),
    (libc::EREMOTEIO, 120),
    (libc::ERESTART, 121),
    (libc::EROFS, 122),
    (libc::ESHUTDOWN, 124),
    (libc::ESOCKTNOSUPPORT, 125),
    (libc::ESPIPE, 126),
    (libc::ESRCH, 127),
    (libc::ESRMNT, 128),
    (libc::ESTALE, 129),
    (libc::ESTRPIPE, 130),
    (libc::ETIME, 131),
    (libc::ETIMEDOUT, 132),
    (libc::ETOOMANYREFS, 133),
    (libc::ETXTBSY, 134),
    (libc::EUCLEAN, 135),
    (libc::EUNATCH, 136),
    (libc::EUSERS, 137),
    (libc::EXDEV, 139),
    (libc::EXFULL, 140),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_libgpg_error() {
        assert_eq!(code_of(libc::ENOENT), 0x8051);
        assert_eq!(code_of(libc::EISDIR), 0x8033);
        assert_eq!(code_of(libc::ENOMEM), 0x8056);
        assert_eq!(code_of(libc::EEXIST), 0x8023);
        assert_eq!(code_of(-1), UNKNOWN_ERRNO);
    }

    #[test]
    fn no_value_and_no_place_occurs_twice() {
        for (value, place) in PLACES {
            assert_eq!(errno_of(code_of(*value)), Some(*value), "place {place}");
        }
    }
}
