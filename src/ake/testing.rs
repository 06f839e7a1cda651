//! What the tests of several modules need: long-term keys and a handshake.
#![forbid(unsafe_code)]
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use num_bigint::BigUint;

use super::{Ake, Established, Local};
use crate::crypto::{dsa, os_random};
use crate::wire::base64::dearmour;
use crate::wire::message::{DhCommit, DhKey, RevealSignature, Signature};
use crate::{Error, InstanceTag, Version};

/// The domain parameters of RFC 6979, appendix A.2.1.
const P: &str = "86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447\
                 E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88\
                 73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C\
                 881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779";
const Q: &str = "996F967F6C8E388D9E28D01E205FBA957A5698B1";
const G: &str = "07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D\
                 89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD\
                 87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4\
                 17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD";

/// A long-term key; different for each `x`.
pub(crate) fn long_term_key(x: u32) -> dsa::PrivateKey {
    let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
    let (p, q, g, x) = (number(P), number(Q), number(G), BigUint::from(x) << 128);
    let y = g.modpow(&x, &p);
    let [p, q, g, y, x] = [p, q, g, y, x].map(|number| number.to_bytes_be());
    dsa::PrivateKey::from_components(&p, &q, &g, &y, &x).unwrap()
}

/// The group's prime, from the protocol text.
const GROUP: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1\
                     29024E088A67CC74020BBEA63B139B22514A08798E3404DD\
                     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245\
                     E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
                     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D\
                     C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
                     83655D23DCA3AD961C62F356208552BB9ED529077096966D\
                     670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

/// Numbers that are no D-H keys: 0, 1, p-1, p, p+1, and one that is longer.
pub(crate) fn out_of_range() -> [Vec<u8>; 6] {
    let p = BigUint::parse_bytes(GROUP.as_bytes(), 16).unwrap();
    let bytes = |number: &BigUint| number.to_bytes_be();
    [
        vec![],
        vec![1],
        bytes(&(&p - 1_u32)),
        bytes(&p),
        bytes(&(&p + 1_u32)),
        bytes(&(&p << 8)),
    ]
}

/// One side of a handshake.
pub(crate) struct Side {
    pub(crate) ake: Ake,
    pub(crate) key: dsa::PrivateKey,
    pub(crate) local: Local,
}

/// A message of the handshake, in the form its receiver has it.
pub(crate) enum Message {
    Commit(DhCommit),
    Key(DhKey),
    Reveal(RevealSignature),
    Signature(Signature),
}

/// Parses an armoured message.
pub(crate) fn parse(text: &[u8]) -> Message {
    let bytes = dearmour(text).unwrap();
    match bytes[2] {
        0x02 => Message::Commit(DhCommit::parse(&bytes).unwrap()),
        0x0a => Message::Key(DhKey::parse(&bytes).unwrap()),
        0x11 => Message::Reveal(RevealSignature::parse(&bytes).unwrap()),
        0x12 => Message::Signature(Signature::parse(&bytes).unwrap()),
        other => panic!("message type {other}"),
    }
}

/// What a side does with a message.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) reply: Option<Vec<u8>>,
    pub(crate) established: Option<Established>,
}

impl Side {
    pub(crate) fn new(x: u32, version: Version) -> Self {
        Self {
            ake: Ake::new(),
            key: long_term_key(x),
            local: Local {
                version,
                ours: InstanceTag::new(0x100 * x),
                theirs: InstanceTag::NONE,
            },
        }
    }

    pub(crate) fn start(&mut self) -> Vec<u8> {
        self.ake.start(&self.local, &mut os_random()).unwrap()
    }

    pub(crate) fn receive(&mut self, text: &[u8], master: Option<&Ake>) -> Result<Done, Error> {
        let (local, rng) = (&self.local, &mut os_random());
        let mut done = Done::default();
        match parse(text) {
            Message::Commit(message) => {
                done.reply = self.ake.on_commit(&message, local, master, rng)?;
            }
            Message::Key(message) => {
                done.reply = self
                    .ake
                    .on_dh_key(&message, local, master, &self.key, rng)?;
            }
            Message::Reveal(message) => {
                let end = self
                    .ake
                    .on_reveal_signature(&message, local, &self.key, rng)?;
                (done.reply, done.established) = end.unzip();
            }
            Message::Signature(message) => {
                done.established = self.ake.on_signature(&message, local)?;
            }
        }
        Ok(done)
    }

    /// Receives a message that must be answered.
    pub(crate) fn reply(&mut self, text: &[u8]) -> Vec<u8> {
        self.receive(text, None).unwrap().reply.unwrap()
    }
}

/// The two ends of a new session: the initiator's and the responder's.
pub(crate) fn session(version: Version) -> (Established, Established) {
    let (mut bob, mut alice) = (Side::new(1, version), Side::new(2, version));
    let commit = bob.start();
    let key = alice.reply(&commit);
    let reveal = bob.reply(&key);
    let end = alice.receive(&reveal, None).unwrap();
    let bobs = bob.receive(&end.reply.unwrap(), None).unwrap();
    (bobs.established.unwrap(), end.established.unwrap())
}
