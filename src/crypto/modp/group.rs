//! The group's numbers.
//!
//! The prime is the 1536-bit one of RFC 3526, section 2 (group 5), as the OTR
//! protocol prescribes under "Encoded messages"; the generator is 2. The build
//! script includes this file to compute the generator's tables from it.
#![forbid(unsafe_code)]

/// Limbs of a 1536-bit number.
pub(super) const LIMBS: usize = 24;

/// A number below 2^1536, least significant limb first.
pub(super) type Limbs = [u64; LIMBS];

/// The prime p. Its lowest and its highest limb are all ones, so that
/// p = -1 modulo 2^64: -1/p modulo 2^64, the factor of Montgomery reduction, is 1.
pub(super) const P: Limbs = [
    0xffff_ffff_ffff_ffff,
    0xf174_6c08_ca23_7327,
    0x670c_354e_4abc_9804,
    0x9ed5_2907_7096_966d,
    0x1c62_f356_2085_52bb,
    0x8365_5d23_dca3_ad96,
    0x6916_3fa8_fd24_cf5f,
    0x98da_4836_1c55_d39a,
    0xc200_7cb8_a163_bf05,
    0x4928_6651_ece4_5b3d,
    0xae9f_2411_7c4b_1fe6,
    0xee38_6bfb_5a89_9fa5,
    0x0bff_5cb6_f406_b7ed,
    0xf44c_42e9_a637_ed6b,
    0xe485_b576_625e_7ec6,
    0x4fe1_356d_6d51_c245,
    0x302b_0a6d_f25f_1437,
    0xef95_19b3_cd3a_431b,
    0x514a_0879_8e34_04dd,
    0x020b_bea6_3b13_9b22,
    0x2902_4e08_8a67_cc74,
    0xc4c6_628b_80dc_1cd1,
    0xc90f_daa2_2168_c234,
    0xffff_ffff_ffff_ffff,
];

/// q = (p - 1) / 2, a prime as well, and the order of the generator.
/// Its lowest limb is all ones too.
pub(super) const Q: Limbs = half(&P);

/// 1.
pub(super) const ONE: Limbs = {
    let mut limbs = [0; LIMBS];
    limbs[0] = 1;
    limbs
};

/// p - 1.
pub(super) const P_MINUS_1: Limbs = {
    let mut limbs = P;
    limbs[0] = 0xffff_ffff_ffff_fffe;
    limbs
};

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler"
)]
const fn half(number: &Limbs) -> Limbs {
    let mut out = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        out[i] = number[i] >> 1;
        if i + 1 < LIMBS {
            out[i] |= number[i + 1] << 63;
        }
        i += 1;
    }
    out
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "test")]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    fn big(limbs: &Limbs) -> BigUint {
        limbs
            .iter()
            .rev()
            .fold(BigUint::ZERO, |all, &limb| (all << 64) + limb)
    }

    #[test]
    fn prime_is_the_one_of_the_protocol_text() {
        let text = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1\
            29024E088A67CC74020BBEA63B139B22514A08798E3404DD\
            EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245\
            E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
            EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D\
            C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
            83655D23DCA3AD961C62F356208552BB9ED529077096966D\
            670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";
        let p = BigUint::parse_bytes(text.as_bytes(), 16).unwrap();
        assert_eq!(big(&P), p);
        assert_eq!(big(&P_MINUS_1), &p - 1u32);
        assert_eq!(big(&Q), (&p - 1u32) >> 1u32);
        assert_eq!(Q[0], u64::MAX);
    }
}
