//! What fuzzing begins with: messages and files that libotr 4.1.1 has made,
//! and operation streams that tell a whole story each.

use otr::toolkit::hex;
use otr::wire::base64::dearmour_data;
use otr::wire::message::{MessageType, message_type};

use crate::people;

/// Conversations of two programs that used libotr 4.1.1.
const RECORDED: [&str; 3] = [
    include_str!("../../tests/vectors/conversation-v1.txt"),
    include_str!("../../tests/vectors/conversation-v2.txt"),
    include_str!("../../tests/vectors/conversation-v3.txt"),
];

const FINGERPRINTS: &[u8] = include_bytes!("../../tests/data/libotr-4.1.1/otr.fingerprints");
const INSTANCE_TAGS: &[u8] = include_bytes!("../../tests/data/libotr-4.1.1/otr.instance_tags");
const KEYS: &[u8] = include_bytes!("../../tests/data/libotr-4.1.1/otr.private_key");
const SIGNED: &str = include_str!("../../tests/vectors/dsa-stock.txt");

/// Every notation of an S-expression.
const SEXP: &[u8] = b"(privkeys (account (name \"a\\x41\\101\\n\")(protocol |cHJwbA==|)\n(private-key (dsa (p #00 Ff#)(q 3:abc)[hint](g g)))))";

/// The inputs that a target's corpus begins with.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "session" => stories(),
        "c_interface" => programs(),
        "data" => talks(),
        "smp" => comparisons(),
        "compare" => comparable(),
        "files" => vec![
            KEYS.to_vec(),
            people::KEY_FILES[0].into(),
            SEXP.to_vec(),
            KEYS[..400].to_vec(),
            FINGERPRINTS.to_vec(),
            INSTANCE_TAGS.to_vec(),
        ],
        "messages" => [messages(), signatures()].concat(),
        "text" => [texts(), pieces(), tags(), records()].concat(),
        "toolkit" => texts()
            .iter()
            .map(|text| [b"\x01", &text[..]].concat())
            .collect(),
        _ => Vec::new(),
    }
}

/// Every text that was recorded as it went over the network.
fn texts() -> Vec<Vec<u8>> {
    let lines = RECORDED.iter().flat_map(|recording| recording.lines());
    let words = lines.filter_map(|line| line.split_once(' '));
    let texts = words
        .map(|(_, value)| value)
        .filter(|value| value.starts_with("?OTR"));
    texts.map(|text| text.as_bytes().to_vec()).collect()
}

/// Every message that was recorded, decoded.
fn messages() -> Vec<Vec<u8>> {
    let texts = texts();
    let decoded = texts.iter().map(|text| dearmour_data(text));
    decoded.filter_map(Result::ok).collect()
}

/// Texts, pieces and files, each behind the byte that says which.
fn comparable() -> Vec<Vec<u8>> {
    let behind = |prefix: &[u8], inputs: Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        let inputs = inputs.iter();
        inputs.map(|input| [prefix, input].concat()).collect()
    };
    [
        behind(b"\x00\x07", [texts(), tags()].concat()),
        behind(b"\x01", pieces()),
        behind(b"\x02\x00", vec![KEYS.to_vec(), SEXP.to_vec()]),
        behind(b"\x02\x01", vec![FINGERPRINTS.to_vec()]),
        behind(b"\x02\x02", vec![INSTANCE_TAGS.to_vec()]),
    ]
    .concat()
}

/// TLV records.
fn records() -> Vec<Vec<u8>> {
    vec![
        b"\x00\x01\x00\x00\x00\x06\x00\x00".to_vec(),
        b"\x00\x08\x00\x06\x00\x00\x00\x07ab\x00\x00\x00\x20".to_vec(),
    ]
}

fn pieces() -> Vec<Vec<u8>> {
    vec![
        b"\x00\x00\x00\x40\x01\x20a text of a few words, to be cut\n?OTR,1,2,a,\n?OTR,2,2,b,".to_vec(),
        b"\x01\x05\x07\x38\x02\x20a text of a few words and to cut\n?OTR|105|7000000,00001,00002,a,\n?OTR|105|7000000,00002,00002,b,".to_vec(),
    ]
}

fn tags() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 8] = [
        b"?OTRv23?",
        b"?OTR?v2?",
        b"?OTR Error: no",
        b"hello \t  \t\t\t\t \t \t \t    \t\t  \t   \t\t  \t\t",
        b"?OTR|00000105|00000107,00001,00002,a,",
        b"?OTR:AAMCAAABBQAAAQc.",
        b"?OTR:AAIC.",
        b"?OTR:AAEK.",
    ];
    texts.iter().map(|text| [b"\x76", *text].concat()).collect()
}

/// Keys, signatures, and what was signed.
fn signatures() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    let mut key = Vec::new();
    for line in SIGNED.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["key"] => key.clear(),
            ["p" | "q" | "g" | "y", number] => {
                let number = hex::decode(number.as_bytes()).expect("hexadecimal");
                key.extend((number.len() as u32).to_be_bytes());
                key.extend(number);
            }
            ["signed", value, signature] => {
                let signature = hex::decode(signature.as_bytes()).expect("hexadecimal");
                let value = hex::decode(value.trim_matches('-').as_bytes()).expect("hexadecimal");
                inputs.push([&key[..], &signature, &value].concat());
            }
            _ => {}
        }
    }
    inputs.truncate(4);
    inputs
}

/// Operation `number` of `somebody` in the target `session`.
const fn op(number: u8, somebody: u8) -> u8 {
    number << 3 | somebody
}

/// Conversations.
fn stories() -> Vec<Vec<u8>> {
    let all = op(7, 0);
    let talk = [op(0, 0), 1, all, op(0, 1), 40, all, op(0, 0), 2, all];
    let compare = [
        op(19, 0),
        1,
        all,
        op(21, 1),
        1,
        all,
        op(19, 1),
        0x82,
        all,
        op(21, 0),
        1,
        all,
    ];
    let mut stories = Vec::new();
    for heading in [
        [0, 0xff, 0],
        [0, 0, 0],
        [0, 0x22, 0xff],
        [0, 0x33, 0],
        [1, 0xff, 0],
        [2, 0x22, 0],
        [3, 0xff, 0x2a],
    ] {
        let begin = [op(17, 0), 0, all];
        let extras = [
            op(24, 0),
            2,
            b'a',
            b'b',
            all,
            op(25, 0),
            100,
            op(0, 1),
            3,
            all,
            op(16, 1),
            0,
            9,
        ];
        let refresh = [op(26, 0), 0, all, op(28, 0), all];
        let leave = [op(18, 1), all, op(0, 0), 1, op(18, 0), all];
        stories.push([&heading[..], &begin, &talk, &compare, &leave].concat());
        stories.push(
            [
                &heading[..],
                &[op(0, 0), 4, op(0, 0), 5],
                &begin,
                &extras,
                &refresh,
                &talk,
            ]
            .concat(),
        );
    }
    // Crossing commits, spoilt and repeated messages.
    stories.push(
        [
            &[0, 0xff, 0, op(26, 0), 0][..],
            &[op(11, 0), 0, 0, 20, 3],
            &[op(9, 1), op(10, 1), 1, all, all],
            &talk,
        ]
        .concat(),
    );
    stories.push(
        [
            &[0, 0xff, 0, op(17, 0), 0, all][..],
            &talk[..2],
            &[
                op(11, 1),
                0,
                1,
                9,
                3,
                all,
                op(15, 0),
                0x44,
                5,
                1,
                2,
                3,
                4,
                5,
                op(27, 1),
                1,
                2,
                2,
                b'a',
                b'b',
            ],
            &talk,
        ]
        .concat(),
    );
    stories
}

/// Two programs.
fn programs() -> Vec<Vec<u8>> {
    const fn op(number: u8, program: u8) -> u8 {
        number << 1 | program
    }
    let all = op(7, 0);
    let begin = [op(20, 0), all];
    let talk = [
        op(0, 0),
        0x01,
        all,
        op(0, 1),
        0x01,
        all,
        op(0, 0),
        0x11,
        all,
    ];
    let tlvs = [op(0, 0), 0x09, 9, 0, 1, 0, 1, b'x', 0, 2, 0, 0, all];
    let compare = [
        op(21, 0),
        1,
        all,
        op(22, 1),
        1,
        all,
        op(21, 1),
        3,
        3,
        b'w',
        b'h',
        b'o',
        all,
        op(22, 0),
        1,
        all,
    ];
    let rest = [
        op(25, 0),
        2,
        b'a',
        b'b',
        all,
        op(26, 0),
        op(27, 0),
        0x21,
        op(30, 0),
        2,
        2,
        b'h',
        b'i',
        all,
        op(24, 1),
        0,
        all,
    ];
    let calm = [0; 6];
    let mut all = Vec::new();
    for heading in [
        [0xff, 0, 0xff, 0],
        [2, 0, 2, 0],
        [0x0f, 2, 0x0f, 2],
        [1, 0, 1, 0],
    ] {
        let start = [&[0, 0][..], &calm, &heading].concat();
        all.push([&start[..], &begin, &talk, &compare, &rest].concat());
        all.push([&start[..], &begin, &tlvs, &talk].concat());
        for reaction in 1..12 {
            let reactions = [0, reaction, 0, reaction, reaction | 0x80, reaction];
            let start = [&[0, 0][..], &reactions, &heading].concat();
            let again = [&[op(31, 1)][..], &reactions].concat();
            all.push([&start[..], &begin, &again, &talk, &again, &compare].concat());
        }
    }
    all.push(
        [
            &[0xff, 0xff][..],
            &calm,
            &[0xff, 0, 0xff, 0],
            &begin,
            &talk,
            &compare,
            &rest,
        ]
        .concat(),
    );
    all.push(
        [
            &[0x24, 0x42][..],
            &calm,
            &[0xff, 2, 0xff, 0],
            &begin,
            &talk,
            &compare,
            &rest,
        ]
        .concat(),
    );
    all
}

/// Data messages.
fn talks() -> Vec<Vec<u8>> {
    let (send, newest, any, spoil, strange) = (0, 5 << 1, 2 << 1, 3 << 1, 4 << 1);
    let talk = [
        send,
        2,
        b'h',
        b'i',
        newest | 1,
        send | 1,
        1,
        b'y',
        newest,
        send | 0x20,
        0,
        0,
        1,
        3,
        6,
        0,
        newest | 1,
    ];
    let raw = texts()
        .iter()
        .rfind(|text| message_type(text) == MessageType::Data)
        .and_then(|text| dearmour_data(text).ok())
        .unwrap_or_default();
    let raw = [&(raw.len() as u16).to_be_bytes()[..], &raw].concat();
    vec![
        [&[0][..], &talk, &talk].concat(),
        [&[1][..], &talk, &talk].concat(),
        [
            &[0][..],
            &talk[..4],
            &talk[..4],
            &[any | 1, 0, 1, any | 1, 0, 0, any | 1, 0, 0],
        ]
        .concat(),
        [
            &[0][..],
            &talk[..4],
            &[spoil | 1, 0, 0, 0, 40, 7, spoil | 0x11, 0, 0, 1, 9, 3],
        ]
        .concat(),
        [&[0][..], &talk[..4], &[strange], &raw[..]].concat(),
    ]
}

/// Comparisons of secrets.
fn comparisons() -> Vec<Vec<u8>> {
    let (begin, answer, abort, own, spoil, deliver) = (0, 2 << 1, 3 << 1, 4 << 1, 5 << 1, 6 << 1);
    let run = |first, second| {
        [
            begin,
            first,
            deliver | 1,
            answer | 1,
            second,
            deliver,
            deliver | 1,
            deliver,
        ]
    };
    vec![
        run(1, 1).to_vec(),
        run(1, 0).to_vec(),
        [&[begin | 0x10, 1, 3, b'w', b'h', b'o'][..], &run(1, 1)[2..]].concat(),
        [&run(1, 1)[..5], &[spoil, 0, 9, 1, deliver]].concat(),
        [
            &run(1, 1)[..2],
            &[
                abort,
                own | 1,
                2,
                0,
                4,
                0,
                0,
                0,
                6,
                deliver | 1,
                deliver | 1,
            ],
        ]
        .concat(),
    ]
}
