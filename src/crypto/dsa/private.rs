//! Private keys and signing.
#![forbid(unsafe_code)]

use super::comb::{Comb, FixedBase};
use super::field::{Field, WithField, with_field};
use super::generate::Domain;
use super::nonce::nonce;
use super::public::PublicKey;
use super::scalar::{Order, Scalar};
use super::{SCALAR_LEN, SIGNATURE_LEN};
use crate::Error;
use crate::crypto::Random;
use crate::crypto::disclosure::disclose;
use crate::crypto::guarded::Guarded;
use crate::wire::significant;
use core::fmt;
use hmac::EagerHash;
use sha2::Sha256;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// A DSA private key; x is wiped when the key is dropped.
#[derive(Clone)]
pub struct PrivateKey {
    public: PublicKey,
    /// Arithmetic modulo q, prepared when the key first signs.
    order: OnceLock<Order>,
    /// In a box, so that moving the key leaves no copy behind.
    x: Guarded<Scalar>,
    /// Powers of g, made when the key first signs; its copies share them.
    powers: Arc<OnceLock<Box<dyn FixedBase>>>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// A key from its five numbers, big-endian, leading zeros permitted. That
    /// y belongs to x is not checked.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if x is not in 1..q, and as
    /// [`PublicKey::from_components`].
    pub fn from_components(
        p: &[u8],
        q: &[u8],
        g: &[u8],
        y: &[u8],
        x: &[u8],
    ) -> Result<Self, Error> {
        let public = PublicKey::from_components(p, q, g, y)?;
        // How long the number is written says nothing about x itself.
        let (excess, x) = x.split_at(x.len().saturating_sub(SCALAR_LEN));
        let mut too_large = excess.iter().fold(0, |all, byte| all | byte);
        let mut padded = Zeroizing::new([0; SCALAR_LEN]);
        for (out, byte) in padded.iter_mut().rev().zip(x.iter().rev()) {
            *out = *byte;
        }
        let (x, mut valid) = Scalar::read(&padded, public.q());
        disclose(&mut too_large);
        disclose(&mut valid);
        if too_large != 0 || valid == 0 {
            return Err(Error::OutOfRange);
        }
        Ok(Self {
            public,
            order: OnceLock::new(),
            x: Guarded::new(x.clone()),
            powers: Arc::default(),
        })
    }

    /// Generates a key of the protocol's size: p of 1024 bits, q of 160. This
    /// takes some ten milliseconds, varying widely by chance.
    ///
    /// # Errors
    /// [`Error::Randomness`] if `random` fails, [`Error::BadSignature`] if the
    /// processor does not compute what it should.
    pub fn generate(random: &mut dyn Random) -> Result<Self, Error> {
        let Domain { p, q, g } = Domain::generate(random)?;
        let order = Order::new(&q)?;
        let x = random_scalar(&order, random)?;
        let powers = with_field(&p, MakeComb(&g))?;
        let public = PublicKey::from_components(&p, &q, &g, &powers.power(&x))?;
        let key = Self {
            public,
            order: OnceLock::from(order),
            x: Guarded::new(x.clone()),
            powers: Arc::new(OnceLock::from(powers)),
        };
        // The usual test of a new pair; only a broken machine fails it.
        let value = [0xa5; 32];
        let signature = key.sign(&value, random)?;
        key.public.verify(&value, &signature)?;
        Ok(key)
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret number x, 20 bytes big-endian.
    #[must_use]
    pub fn x(&self) -> Zeroizing<[u8; SCALAR_LEN]> {
        Zeroizing::new(self.x.to_be_bytes())
    }

    /// Whether y belongs to x. Costs one power.
    ///
    /// # Errors
    /// As [`PublicKey::verify`] for numbers with which nothing can be computed.
    pub fn is_consistent(&self) -> Result<bool, Error> {
        let y = self.powers()?.power(&self.x);
        Ok(significant(&y) == significant(self.public.y()))
    }

    /// Signs `value`, a big-endian number of any length which is reduced
    /// modulo q; an empty value signs zero. Returns r and s, 20 bytes each.
    /// The time does not depend on the key's secret.
    ///
    /// # Errors
    /// [`Error::Randomness`] if `random` fails.
    pub fn sign(
        &self,
        value: &[u8],
        random: &mut dyn Random,
    ) -> Result<[u8; SIGNATURE_LEN], Error> {
        loop {
            let mut signature = self.attempt(value, random)?;
            disclose(&mut signature);
            // Zeros come once in 2^159 attempts.
            let (r, s) = signature.split_at(SCALAR_LEN);
            if [r, s].iter().all(|half| half.iter().any(|&byte| byte != 0)) {
                return Ok(signature);
            }
        }
    }

    /// Makes a signature whose r or s may be zero. Nothing in here branches
    /// on the key's secret or on what is computed with it.
    pub(crate) fn attempt(
        &self,
        value: &[u8],
        random: &mut dyn Random,
    ) -> Result<[u8; SIGNATURE_LEN], Error> {
        let mut extra = Zeroizing::new([0; 32]);
        random.fill(&mut *extra)?;
        let mut mask = Zeroizing::new([0; 2 * SCALAR_LEN]);
        random.fill(&mut *mask)?;
        self.sign_with::<Sha256>(value, &*extra, &*mask)
    }

    /// Signs with k made from `extra`, and with the fraction extended by
    /// `mask`; s is zero if the mask is zero modulo q.
    fn sign_with<D: EagerHash>(
        &self,
        value: &[u8],
        extra: &[u8],
        mask: &[u8],
    ) -> Result<[u8; SIGNATURE_LEN], Error> {
        let order = self.order()?;
        let z = order.reduce(value);
        let k = nonce::<D>(order, &self.x, &z, extra);
        let r = order.reduce(&self.powers()?.power(&k));
        // s = (z + x r) / k, with both sides of the fraction times b: no
        // step sees x or k alone.
        let b = order.reduce(mask);
        let bx = order.multiply(&b, &self.x);
        let top = order.add(&order.multiply(&b, &z), &order.multiply(&bx, &r));
        let s = order.multiply(&top, &order.invert(&order.multiply(&b, &k)));
        let mut signature = [0; SIGNATURE_LEN];
        let (first, second) = signature.split_at_mut(SCALAR_LEN);
        first.copy_from_slice(&r.to_be_bytes());
        second.copy_from_slice(&s.to_be_bytes());
        Ok(signature)
    }

    fn order(&self) -> Result<&Order, Error> {
        if let Some(order) = self.order.get() {
            return Ok(order);
        }
        let made = Order::new(self.public.q())?;
        Ok(self.order.get_or_init(|| made))
    }

    fn powers(&self) -> Result<&dyn FixedBase, Error> {
        if let Some(powers) = self.powers.get() {
            return Ok(powers.as_ref());
        }
        let made = with_field(self.public.p(), MakeComb(self.public.g()))?;
        Ok(self.powers.get_or_init(|| made).as_ref())
    }
}

/// Uniform in 1..q. A rejected draw says nothing about the one that is kept.
fn random_scalar(order: &Order, random: &mut dyn Random) -> Result<Scalar, Error> {
    let mut bytes = Zeroizing::new([0; SCALAR_LEN]);
    loop {
        random.fill(&mut *bytes)?;
        let (scalar, valid) = order.read(&bytes);
        if valid != 0 {
            return Ok(scalar);
        }
    }
}

/// Makes the tables of a base.
struct MakeComb<'a>(&'a [u8]);

impl WithField for MakeComb<'_> {
    type Output = Box<dyn FixedBase>;

    fn run<F: Field + Send + Sync + 'static>(self, field: F) -> Self::Output
    where
        F::Element: Send + Sync,
    {
        Box::new(Comb::new(field, self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::os_random;
    use sha1::Sha1;
    use sha2::{Digest, Sha224, Sha384, Sha512};

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .filter(u8::is_ascii_hexdigit)
            .map(|d| u8::try_from(char::from(d).to_digit(16).unwrap()).unwrap())
            .collect();
        digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect()
    }

    /// The key of RFC 6979, appendix A.2.1.
    fn rfc_key() -> PrivateKey {
        PrivateKey::from_components(
            &hex(
                "86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447
                 E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88
                 73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C
                 881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779",
            ),
            &hex("996F967F6C8E388D9E28D01E205FBA957A5698B1"),
            &hex(
                "07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D
                 89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD
                 87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4
                 17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD",
            ),
            &hex(
                "5DF5E01DED31D0297E274E1691C192FE5868FEF9E19A84776454B100CF16F653
                 92195A38B90523E2542EE61871C0440CB87C322FC4B4D2EC5E1E7EC766E1BE8D
                 4CE935437DC11C3C8FD426338933EBFE739CB3465F4D3668C5E473508253B1E6
                 82F65CBDC4FAE93C2EA212390E54905A86E2223170B44EAA7DA5DD9FFCFB7F3B",
            ),
            &hex("411602CB19A6CCC34494D79D98EF1E7ED5AF25F7"),
        )
        .unwrap()
    }

    fn assert_vector<D: EagerHash + Digest>(message: &str, r: &str, s: &str) {
        let key = rfc_key();
        // FIPS 186 signs the leftmost 160 bits of the hash.
        let digest = D::new_with_prefix(message).finalize();
        let value = &digest[..SCALAR_LEN];
        let expected = [hex(r), hex(s)].concat();
        for mask in [&[1][..], &[0x5a; 40]] {
            let signature = key.sign_with::<D>(value, &[], mask).unwrap();
            assert_eq!(signature[..], expected);
            key.public().verify(value, &signature).unwrap();
        }
        let other = key.sign_with::<D>(value, &[0], &[1]).unwrap();
        assert_ne!(other[..], expected, "additional input changes k");
        key.public().verify(value, &other).unwrap();
    }

    /// RFC 6979, appendix A.2.1.
    #[test]
    fn signs_as_rfc_6979_says() {
        assert_vector::<Sha1>(
            "sample",
            "2E1A0C2562B2912CAAF89186FB0F42001585DA55",
            "29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5",
        );
        assert_vector::<Sha1>(
            "test",
            "42AB2052FD43E123F0607F115052A67DCD9C5C77",
            "183916B0230D45B9931491D4C6B0BD2FB4AAF088",
        );
        assert_vector::<Sha224>(
            "sample",
            "4BC3B686AEA70145856814A6F1BB53346F02101E",
            "410697B92295D994D21EDD2F4ADA85566F6F94C1",
        );
        assert_vector::<Sha224>(
            "test",
            "6868E9964E36C1689F6037F91F28D5F2C30610F2",
            "49CEC3ACDC83018C5BD2674ECAAD35B8CD22940F",
        );
        assert_vector::<Sha256>(
            "sample",
            "81F2F5850BE5BC123C43F71A3033E9384611C545",
            "4CDD914B65EB6C66A8AAAD27299BEE6B035F5E89",
        );
        assert_vector::<Sha256>(
            "test",
            "22518C127299B0F6FDC9872B282B9E70D0790812",
            "6837EC18F150D55DE95B5E29BE7AF5D01E4FE160",
        );
        assert_vector::<Sha384>(
            "sample",
            "07F2108557EE0E3921BC1774F1CA9B410B4CE65A",
            "54DF70456C86FAC10FAB47C1949AB83F2C6F7595",
        );
        assert_vector::<Sha384>(
            "test",
            "854CF929B58D73C3CBFDC421E8D5430CD6DB5E66",
            "91D0E0F53E22F898D158380676A871A157CDA622",
        );
        assert_vector::<Sha512>(
            "sample",
            "16C3491F9B8C3FBBDD5E7A7B667057F0D8EE8E1B",
            "02C36A127A7B89EDBB72E4FFBC71DABC7D4FC69C",
        );
        assert_vector::<Sha512>(
            "test",
            "8EA47E475BA8AC6F2D821DA3BD212D11A3DEB9A0",
            "7C670C7AD72B6C050C109E1790008097125433E8",
        );
    }

    #[test]
    fn signatures_of_one_value_differ_and_verify() {
        let key = rfc_key();
        let value = [0xff; 32];
        let first = key.sign(&value, &mut os_random()).unwrap();
        let second = key.sign(&value, &mut os_random()).unwrap();
        assert_ne!(first, second);
        key.public().verify(&value, &first).unwrap();
        key.public().verify(&value, &second).unwrap();
    }

    /// Gives zeros for the mask of the first attempt.
    struct ZerosAtFirst(usize);

    impl Random for ZerosAtFirst {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), Error> {
            self.0 = self.0.saturating_add(1);
            match self.0 {
                2 => out.fill(0),
                _ => os_random().fill(out)?,
            }
            Ok(())
        }
    }

    #[test]
    fn a_signature_of_zero_is_made_again() {
        let key = rfc_key();
        let bad = key.attempt(&[1], &mut ZerosAtFirst(0)).unwrap();
        assert_eq!(bad[SCALAR_LEN..], [0; SCALAR_LEN]);
        let mut random = ZerosAtFirst(0);
        let good = key.sign(&[1], &mut random).unwrap();
        assert_eq!(random.0, 4, "two attempts");
        key.public().verify(&[1], &good).unwrap();
    }

    #[test]
    fn copies_share_the_tables() {
        let key = rfc_key();
        let copy = key.clone();
        key.sign(&[1], &mut os_random()).unwrap();
        assert!(copy.powers.get().is_some());
    }

    #[test]
    fn debug_output_is_silent_about_x() {
        assert!(!format!("{:?}", rfc_key()).contains('x'));
    }
}
