//! Ranges, encodings and secrecy of the group's values.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test"
)]

use num_bigint::BigUint;
use otr::Error;
use otr::crypto::modp::{
    Challenge, ELEMENT_BYTES, Element, PowerTable, Residue, Scalar, SecretExponent, pow_g,
};

fn p() -> BigUint {
    let hex = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22\
        514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9\
        A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
        98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E\
        4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
}

#[test]
fn elements_lie_between_2_and_p_minus_2() {
    for refused in [
        BigUint::ZERO,
        1u32.into(),
        p() - 1u32,
        p(),
        p() + 1u32,
        p() + 2u32,
        (BigUint::from(1u32) << 1536u32) - 1u32,
        BigUint::from(3u32) << 1536u32,
    ] {
        let read = Element::from_be_bytes(&refused.to_bytes_be());
        assert_eq!(read, Err(Error::OutOfRange));
    }
    assert_eq!(Element::from_be_bytes(&[]), Err(Error::OutOfRange));
    for accepted in [2u32.into(), 3u32.into(), p() - 2u32, p() - 3u32] {
        let element = Element::from_be_bytes(&accepted.to_bytes_be()).unwrap();
        assert_eq!(&element.minimal()[..], accepted.to_bytes_be());
    }
}

#[test]
fn leading_zeros_are_read_and_not_written() {
    let element = Element::from_be_bytes(&[&[0; 400][..], &[1, 2]].concat()).unwrap();
    assert_eq!(&element.minimal()[..], [1, 2]);
    let mut mpi = vec![9];
    element.write_mpi(&mut mpi);
    assert_eq!(mpi, [9, 0, 0, 0, 2, 1, 2]);
    let full = element.to_be_bytes();
    assert_eq!(full.len(), ELEMENT_BYTES);
    assert_eq!(full[..190], [0; 190]);
    assert_eq!(full[190..], [1, 2]);
    assert_eq!(format!("{element:?}"), "Element(0102)");
}

#[test]
fn elements_are_ordered_as_numbers() {
    let element = |bytes: &[u8]| Element::from_be_bytes(bytes).unwrap();
    assert!(element(&[2]) < element(&[3]));
    assert!(element(&[255]) < element(&[1, 0]));
    let mut large = [0; 192];
    large[0] = 1;
    assert!(element(&[255; 191]) < element(&large));
    assert_eq!(element(&[0, 7]), element(&[7]));
}

#[test]
fn responses_lie_between_1_and_q_minus_1() {
    let q = (p() - 1u32) >> 1u32;
    for refused in [BigUint::ZERO, q.clone(), &q + 1u32, p(), p() << 64u32] {
        let read = Scalar::from_be_bytes(&refused.to_bytes_be());
        assert_eq!(read, Err(Error::OutOfRange));
    }
    for accepted in [BigUint::from(1u32), &q - 1u32] {
        let scalar = Scalar::from_be_bytes(&accepted.to_bytes_be()).unwrap();
        assert_eq!(&scalar.minimal()[..], accepted.to_bytes_be());
    }
}

#[test]
fn challenges_have_32_bytes() {
    assert_eq!(Challenge::from_be_bytes(&[1; 33]), Err(Error::OutOfRange));
    let challenge = Challenge::from_be_bytes(&[&[0; 5][..], &[1; 31]].concat()).unwrap();
    assert_eq!(challenge.as_bytes()[..2], [0, 1]);
    assert_eq!(challenge.minimal().len(), 31);
    let empty = Challenge::from_be_bytes(&[]).unwrap();
    assert_eq!(empty, Challenge::new([0; 32]));
}

#[test]
fn exponents_keep_their_length() {
    let exponent = SecretExponent::from_be_bytes(&[0, 0, 5]).unwrap();
    assert_eq!(exponent.to_be_bytes()[..], [0, 0, 5]);
    assert!(SecretExponent::from_be_bytes(&[0; 193]).is_err());
    assert_eq!(&pow_g(&exponent).minimal()[..], [32]);
}

#[test]
fn degenerate_results_are_not_elements() {
    let zero = SecretExponent::from_be_bytes(&[0; 40]).unwrap();
    assert_eq!(pow_g(&zero).to_element(), Err(Error::OutOfRange));
}

#[test]
fn secrets_do_not_show() {
    let exponent = SecretExponent::from_be_bytes(&[0x5a; 40]).unwrap();
    let residue = Residue::from(&Element::from_be_bytes(&[0x5a; 40]).unwrap());
    let table = PowerTable::new(&residue);
    let shown = format!("{exponent:?} {residue:?} {table:?} {:?}", residue.minimal());
    let wanted = "SecretExponent(..) Residue(..) PowerTable(..) MinimalBytes(..)";
    assert_eq!(shown, wanted);
}
