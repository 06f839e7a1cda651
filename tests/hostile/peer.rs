//! A hostile peer: the whole protocol from its description, with every field
//! replaceable.
//!
//! It uses big integers and ciphers from other crates but nothing of the
//! library under test, so it also works as an independent implementation.

pub mod crypt;
pub mod smp;

use num_bigint::BigUint;

use super::bytes::{Writer, armour, data_at, int_at, unwrap_armour};
use super::party::{Party, Received};
use super::rng::Rng;
use crypt::{DataKeys, ExchangeKeys, ctr, g, hmac_sha1, hmac_sha256, minimal, p, sha256};

/// Message types.
pub mod kind {
    pub const COMMIT: u8 = 0x02;
    pub const DH_KEY: u8 = 0x0a;
    pub const REVEAL: u8 = 0x11;
    pub const SIGNATURE: u8 = 0x12;
    pub const DATA: u8 = 0x03;
}

/// Whom the peer talks to.
pub trait Target {
    /// Gives the target a message.
    fn hear(&self, message: &[u8]) -> Received;
    /// Takes the oldest message the target sent.
    fn said(&self) -> Option<Vec<u8>>;
}

impl Target for Party {
    fn hear(&self, message: &[u8]) -> Received {
        self.receive(message)
    }

    fn said(&self) -> Option<Vec<u8>> {
        self.take()
    }
}

/// The hostile peer's side of a conversation with one target.
pub struct Peer {
    pub version: u8,
    /// Our instance tag and the target's (version 3).
    pub tag: u32,
    pub their_tag: u32,
    /// Our D-H keys 1 and 2: secret and public.
    pub x: [BigUint; 2],
    pub y: [BigUint; 2],
    /// The target's D-H key 1.
    pub their_y: BigUint,
    pub r: [u8; 16],
    encrypted_gx: Vec<u8>,
    pub exchange: ExchangeKeys,
    /// Keys between our key 1 and the target's key 1.
    pub keys: DataKeys,
    pub counter: u64,
    pub rng: Rng,
}

/// What to put into the encrypted part of a Reveal Signature or Signature
/// message instead of the honest values.
pub struct Authenticator {
    /// The public key as on the wire: type, p, q, g, y.
    pub public_key: Vec<u8>,
    pub signature: Option<[u8; 40]>,
    pub keyid: u32,
    /// Keep only so many bytes of the plaintext.
    pub keep: Option<usize>,
    /// Append so many bytes to the plaintext.
    pub extra: usize,
    pub wrong_mac: bool,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            public_key: crypt::public_key(&[]),
            signature: None,
            keyid: 1,
            keep: None,
            extra: 0,
            wrong_mac: false,
        }
    }
}

/// What to put into a data message instead of the honest values.
#[derive(Default)]
pub struct DataFields {
    /// The next-key field as on the wire, length included.
    pub next: Option<Vec<u8>>,
    pub flags: u8,
    pub sender_keyid: Option<u32>,
    pub recipient_keyid: Option<u32>,
    pub counter: Option<u64>,
    pub wrong_mac: bool,
    /// The length field of the encrypted part.
    pub length: Option<u32>,
    /// The length field of the revealed keys.
    pub revealed_length: Option<u32>,
    /// Bytes after the message.
    pub trailing: usize,
}

impl Peer {
    pub fn new(version: u8) -> Self {
        let seed = std::process::id().into();
        let mut rng = Rng::new(seed);
        let x = [crypt::random(&mut rng, 320), crypt::random(&mut rng, 320)];
        let y = [g().modpow(&x[0], &p()), g().modpow(&x[1], &p())];
        Self {
            version,
            tag: 0x1000 + rng.below(0x7fff_0000) as u32,
            their_tag: 0,
            x,
            y,
            their_y: BigUint::ZERO,
            r: [0; 16],
            encrypted_gx: Vec::new(),
            exchange: ExchangeKeys::default(),
            keys: DataKeys::default(),
            counter: 0,
            rng,
        }
    }

    /// The beginning of a message of the given type.
    pub fn header(&self, kind: u8) -> Writer {
        let header = Writer::default().byte(0).byte(self.version).byte(kind);
        if self.version == 3 {
            header.int(self.tag).int(self.their_tag)
        } else {
            header
        }
    }

    /// Length of the header.
    pub fn header_len(&self) -> usize {
        if self.version == 3 { 11 } else { 3 }
    }

    /// Gives the target a message of these bytes.
    pub fn give(&self, target: &dyn Target, message: &Writer) -> Received {
        target.hear(&armour(&message.0))
    }

    /// The body of the newest message of this type among all the target said.
    /// Learns the target's instance tag.
    fn hear_body(&mut self, target: &dyn Target, kind: u8) -> Result<Vec<u8>, String> {
        let mut body = None;
        while let Some(text) = target.said() {
            let Some(raw) = unwrap_armour(&text) else {
                continue;
            };
            if raw.get(2) == Some(&kind) && raw.len() > self.header_len() {
                if self.version == 3 {
                    self.their_tag = int_at(&raw, 3).unwrap_or(0);
                }
                body = Some(raw[self.header_len()..].to_vec());
            }
        }
        body.ok_or_else(|| format!("set-up failed: no message of type {kind:#04x}"))
    }

    /// Begins a key exchange with g^x as given or honest.
    pub fn send_commit(&mut self, target: &dyn Target, gx: Option<&BigUint>, honest_hash: bool) {
        self.rng.fill(&mut self.r);
        let gx = Writer::default().data(&minimal(gx.unwrap_or(&self.y[0]))).0;
        let mut hash = sha256(&gx);
        if !honest_hash {
            hash[0] ^= 1;
        }
        let encrypted = ctr(&self.r, &[0; 8], &gx);
        while target.said().is_some() {}
        self.give(
            target,
            &self.header(kind::COMMIT).data(&encrypted).data(&hash),
        );
    }

    /// Takes the target's D-H Key message.
    pub fn take_dh_key(&mut self, target: &dyn Target) -> Result<(), String> {
        let body = self.hear_body(target, kind::DH_KEY)?;
        let (gy, _) = data_at(&body, 0).ok_or("malformed D-H Key")?;
        self.their_y = BigUint::from_bytes_be(gy);
        Ok(())
    }

    /// Sends the Reveal Signature message. `forced`: g^x and the shared value
    /// it leads to in the target.
    pub fn send_reveal(
        &mut self,
        target: &dyn Target,
        forced: Option<(&BigUint, &BigUint)>,
        fields: &Authenticator,
    ) {
        let gx = forced.map_or(&self.y[0], |f| f.0).clone();
        let shared = forced.map_or_else(|| self.shared(0), |f| f.1.clone());
        self.exchange = ExchangeKeys::derive(&shared);
        let encrypted = self.authenticator(&gx, &self.exchange.c, &self.exchange.m1, fields);
        let mac = self.outer_mac(&self.exchange.m2, &encrypted, fields);
        self.keys = DataKeys::derive(&shared, self.y[0] > self.their_y);
        let message = self
            .header(kind::REVEAL)
            .data(&self.r)
            .raw(&encrypted)
            .raw(&mac);
        self.give(target, &message);
    }

    /// A whole key exchange with the hostile peer as initiator.
    pub fn converse(version: u8, target: &Party) -> Result<Self, String> {
        let mut peer = Self::new(version);
        peer.send_commit(target, None, true);
        peer.take_dh_key(target)?;
        peer.send_reveal(target, None, &Authenticator::default());
        target.log().wire.clear();
        if target.encrypted() {
            Ok(peer)
        } else {
            Err("set-up failed: no conversation with the hostile peer".to_owned())
        }
    }

    /// Takes the commit of a target that was asked to begin.
    pub fn take_commit(&mut self, target: &dyn Target) -> Result<(), String> {
        let body = self.hear_body(target, kind::COMMIT)?;
        self.encrypted_gx = data_at(&body, 0).ok_or("malformed commit")?.0.to_vec();
        Ok(())
    }

    /// Answers with a D-H Key message.
    pub fn send_dh_key(&self, target: &dyn Target, y: Option<&BigUint>) {
        let message = self
            .header(kind::DH_KEY)
            .data(&minimal(y.unwrap_or(&self.y[0])));
        self.give(target, &message);
    }

    /// Takes the target's Reveal Signature and learns its key from it.
    pub fn take_reveal(&mut self, target: &dyn Target) -> Result<(), String> {
        let body = self.hear_body(target, kind::REVEAL)?;
        let (r, _) = data_at(&body, 0).ok_or("malformed Reveal Signature")?;
        self.r = r.try_into().map_err(|_| "r is not 16 bytes")?;
        let gx = ctr(&self.r, &[0; 8], &self.encrypted_gx);
        self.their_y = BigUint::from_bytes_be(data_at(&gx, 0).ok_or("malformed g^x")?.0);
        Ok(())
    }

    /// Sends the Signature message.
    pub fn send_signature(&mut self, target: &dyn Target, fields: &Authenticator) {
        let shared = self.shared(0);
        self.exchange = ExchangeKeys::derive(&shared);
        let (c, m1) = (&self.exchange.c_prime, &self.exchange.m1_prime);
        let encrypted = self.authenticator(&self.y[0], c, m1, fields);
        let mac = self.outer_mac(&self.exchange.m2_prime, &encrypted, fields);
        self.keys = DataKeys::derive(&shared, self.y[0] > self.their_y);
        self.give(
            target,
            &self.header(kind::SIGNATURE).raw(&encrypted).raw(&mac),
        );
    }

    /// The value shared by our key `ours` (0 or 1) and the target's key 1.
    pub fn shared(&self, ours: usize) -> BigUint {
        self.their_y.modpow(&self.x[ours], &p())
    }

    fn outer_mac(&self, key: &[u8; 32], encrypted: &[u8], fields: &Authenticator) -> [u8; 20] {
        let mut mac = hmac_sha256(key, encrypted);
        if fields.wrong_mac {
            mac[0] ^= 1;
        }
        mac[..20].try_into().expect("20 of 32 bytes")
    }

    /// The encrypted public key, key id and signature, with their length.
    fn authenticator(
        &self,
        gx: &BigUint,
        key: &[u8; 16],
        mac_key: &[u8; 32],
        fields: &Authenticator,
    ) -> Vec<u8> {
        let signed = Writer::default()
            .data(&minimal(gx))
            .data(&minimal(&self.their_y))
            .raw(&fields.public_key)
            .int(fields.keyid);
        let value = hmac_sha256(mac_key, &signed.0);
        let signature = fields.signature.unwrap_or_else(|| crypt::sign(&value));
        let mut plain = Writer::default()
            .raw(&fields.public_key)
            .int(fields.keyid)
            .raw(&signature)
            .raw(&vec![0x41; fields.extra])
            .0;
        plain.truncate(fields.keep.unwrap_or(usize::MAX));
        Writer::default().data(&ctr(key, &[0; 8], &plain)).0
    }

    /// A data message under our key 1 and the target's key 1.
    pub fn data_message(&mut self, plain: &[u8], fields: &DataFields) -> Vec<u8> {
        self.counter += 1;
        let counter = fields.counter.unwrap_or(self.counter).to_be_bytes();
        let next = Writer::default().data(&minimal(&self.y[1])).0;
        let authenticated = self
            .header(kind::DATA)
            .byte(fields.flags)
            .int(fields.sender_keyid.unwrap_or(1))
            .int(fields.recipient_keyid.unwrap_or(1))
            .raw(fields.next.as_ref().unwrap_or(&next))
            .raw(&counter)
            .int(fields.length.unwrap_or(plain.len() as u32))
            .raw(&ctr(&self.keys.send_key, &counter, plain));
        let mut mac = hmac_sha1(&self.keys.send_mac, &authenticated.0);
        if fields.wrong_mac {
            mac[19] ^= 1;
        }
        let message = authenticated
            .raw(&mac)
            .int(fields.revealed_length.unwrap_or(0))
            .raw(&vec![0x55; fields.trailing]);
        armour(&message.0)
    }

    /// Sends a data message.
    pub fn say(&mut self, target: &dyn Target, plain: &[u8], fields: &DataFields) -> Received {
        let message = self.data_message(plain, fields);
        target.hear(&message)
    }

    /// Sends one TLV record in a message without text.
    pub fn say_tlv(&mut self, target: &dyn Target, record: u16, value: &[u8]) -> Received {
        let plain = Writer::default().byte(0).tlv(record, value);
        self.say(target, &plain.0, &DataFields::default())
    }

    /// Reads a data message of the target, if it is encrypted with keys that
    /// follow from this shared value.
    pub fn read_with(&self, message: &[u8], shared: &BigUint) -> Option<Vec<u8>> {
        let raw = unwrap_armour(message)?;
        if raw.get(2) != Some(&kind::DATA) {
            return None;
        }
        let (_, at) = data_at(&raw, self.header_len() + 1 + 8)?;
        let counter: [u8; 8] = raw.get(at..at + 8)?.try_into().ok()?;
        let (encrypted, end) = data_at(&raw, at + 8)?;
        let mac = raw.get(end..end + 20)?;
        [true, false].into_iter().find_map(|high| {
            let keys = DataKeys::derive(shared, high);
            let fits = hmac_sha1(&keys.receive_mac, &raw[..end]) == mac;
            fits.then(|| ctr(&keys.receive_key, &counter, encrypted))
        })
    }

    /// Reads a data message of the target under either of our keys.
    pub fn read(&self, message: &[u8]) -> Option<Vec<u8>> {
        (0..2).find_map(|ours| self.read_with(message, &self.shared(ours)))
    }
}
