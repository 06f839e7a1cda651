//! A run as plain numbers, for the C interface, where each step can be called
//! by itself and the numbers live in a public structure.
#![forbid(unsafe_code)]
#![allow(
    dead_code,
    reason = "for the step-by-step functions of the C interface"
)]

use zeroize::Zeroizing;

use super::initiator::{Begun, Committed};
use super::responder::{Answered, Asked};
use super::{Progress, Smp, State};
use crate::Error;
use crate::crypto::modp::{Challenge, Element, PowerTable, Residue, SecretExponent};

/// A number, big-endian.
pub(crate) type Number = Zeroizing<Vec<u8>>;

/// What each state consists of; names as in the protocol text.
pub(crate) enum Parts {
    Idle,
    Asked {
        g2a: Number,
        g3a: Number,
    },
    Begun {
        x: Number,
        a2: Number,
        a3: Number,
    },
    Answered {
        b3: Number,
        g3a: Number,
        g2: Number,
        g3: Number,
        pb: Number,
        qb: Number,
    },
    Committed {
        a3: Number,
        g3b: Number,
        /// Pa / Pb.
        pab: Number,
        /// Qa / Qb.
        qab: Number,
    },
}

impl Smp {
    /// The numbers of the present state.
    pub(crate) fn parts(&self) -> Parts {
        match &self.state {
            State::Idle => Parts::Idle,
            State::Asked(asked) => Parts::Asked {
                g2a: element(&asked.g2a),
                g3a: element(&asked.g3a),
            },
            State::Begun(begun) => Parts::Begun {
                x: begun.x.to_be_bytes(),
                a2: begun.a2.to_be_bytes(),
                a3: begun.a3.to_be_bytes(),
            },
            State::Answered(answered) => Parts::Answered {
                b3: answered.b3.to_be_bytes(),
                g3a: element(&answered.g3a),
                g2: base(&answered.g2),
                g3: base(&answered.g3),
                pb: element(&answered.pb),
                qb: element(&answered.qb),
            },
            State::Committed(committed) => Parts::Committed {
                a3: committed.a3.to_be_bytes(),
                g3b: element(&committed.g3b),
                pab: residue(&committed.pab),
                qab: base(&committed.qab),
            },
        }
    }

    /// The run that consists of these numbers.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an exponent of more than 192 bytes and for
    /// anything else that is not in 2..=p-2.
    pub(crate) fn from_parts(
        parts: &Parts,
        progress: Progress,
        received_question: bool,
    ) -> Result<Self, Error> {
        let exponent = |number: &Number| SecretExponent::from_be_bytes(number);
        let element = |number: &Number| Element::from_be_bytes(number);
        let residue = |number: &Number| element(number).map(|element| Residue::from(&element));
        let table = |number: &Number| residue(number).map(|base| PowerTable::new(&base));
        let state = match parts {
            Parts::Idle => State::Idle,
            Parts::Asked { g2a, g3a } => State::Asked(Box::new(Asked {
                g2a: element(g2a)?,
                g3a: element(g3a)?,
            })),
            Parts::Begun { x, a2, a3 } => State::Begun(Box::new(Begun {
                x: exponent(x)?,
                a2: exponent(a2)?,
                a3: exponent(a3)?,
            })),
            Parts::Answered {
                b3,
                g3a,
                g2,
                g3,
                pb,
                qb,
            } => State::Answered(Box::new(Answered {
                b3: exponent(b3)?,
                g3a: element(g3a)?,
                g2: table(g2)?,
                g3: table(g3)?,
                pb: element(pb)?,
                qb: element(qb)?,
            })),
            Parts::Committed { a3, g3b, pab, qab } => State::Committed(Box::new(Committed {
                a3: exponent(a3)?,
                g3b: element(g3b)?,
                pab: residue(pab)?,
                qab: table(qab)?,
            })),
        };
        Ok(Self {
            state,
            progress,
            received_question,
        })
    }
}

fn element(element: &Element) -> Number {
    Zeroizing::new(element.minimal().to_vec())
}

fn residue(residue: &Residue) -> Number {
    Zeroizing::new(residue.minimal().to_vec())
}

/// The base that a table was made for: its first power.
fn base(table: &PowerTable) -> Number {
    let mut one = [0; 32];
    one[31] = 1;
    residue(&table.pow_public(&Challenge::new(one)))
}
