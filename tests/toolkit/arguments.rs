//! What each program does with its arguments, right and wrong ones.

use super::corpus::{RECORDED, encoded};
use super::run::compare;

const AES: &str = "000102030405060708090a0b0c0d0e0f";
const MAC: &str = "1111111111111111111111111111111111111111";

fn check(program: &str, arguments: &[&str], input: &[u8]) {
    let arguments: Vec<_> = arguments.iter().map(|one| one.as_bytes()).collect();
    compare(program, &arguments, input);
}

#[test]
fn wrong_numbers_of_arguments() {
    for program in [
        "otr_parse",
        "otr_sesskeys",
        "otr_mackey",
        "otr_readforge",
        "otr_modify",
        "otr_remac",
    ] {
        for count in 0..13 {
            check(program, &vec!["00"; count], b"");
            check(program, &vec![""; count], b"");
        }
    }
}

/// Strings that are no, or strange, hexadecimal digits.
const HEX: [&str; 14] = [
    "",
    "0",
    "00",
    "0g",
    "g0",
    "zz",
    "0x00",
    " 00",
    "00\n",
    "+1",
    "é",
    "ABCDEFabcdef",
    "00000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000",
];

#[test]
fn mackey() {
    for digits in HEX.into_iter().chain([
        AES,
        "AaBbCcDdAaBbCcDdAaBbCcDdAaBbCcDd",
        "0x0102030405060708090a0b0c0d0e0f",
        "000102030405060708090a0b0c0d0e",
        "000102030405060708090a0b0c0d0e0f00",
    ]) {
        check("otr_mackey", &[digits], b"");
    }
}

/// The group's prime p, and the two numbers on either side of it.
fn around_p() -> Vec<String> {
    let upper = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
             020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
             4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
             ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
             98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
             9ed529077096966d670c354e4abc9804f1746c08ca23732";
    [
        "7fffffffffffffffd",
        "7fffffffffffffffe",
        "7ffffffffffffffff",
        "80000000000000000",
        "80000000000000001",
    ]
    .map(|lower| format!("{upper}{lower}"))
    .to_vec()
}

#[test]
fn sesskeys() {
    let public_keys: Vec<String> = ["", "00", "01", "02", "05", "20", "0007", "ff"]
        .into_iter()
        .map(String::from)
        .chain(around_p())
        .chain([192, 193, 400].map(|len| "ff".repeat(len)))
        .chain([format!("01{}", "00".repeat(400))])
        .collect();
    let private_keys = [
        String::new(),
        "00".into(),
        "01".into(),
        "02".into(),
        "0000000000000005".into(),
        "ff".repeat(40),
    ];
    for private in &private_keys {
        for public in &public_keys {
            check("otr_sesskeys", &[private, public], b"");
        }
    }
    for private in HEX
        .into_iter()
        .chain([&*"00".repeat(41), &*"ff".repeat(41)])
    {
        for public in ["07", "7", "0g"] {
            check("otr_sesskeys", &[private, public], b"");
            check("otr_sesskeys", &[public, private], b"");
        }
    }
}

/// What can stand on standard input where one data message is wanted.
fn inputs() -> Vec<Vec<u8>> {
    let recorded = encoded(RECORDED[2]);
    let commit = recorded[0].clone();
    let data = recorded
        .iter()
        .find(|message| message[5..].starts_with(b"AAMD"))
        .expect("a data message");
    vec![
        Vec::new(),
        b"hello ?OTRv2? ?OTR".to_vec(),
        b"?OTR:".to_vec(),
        b"?OTR:hello.".to_vec(),
        b"?OTR:AAMD.".to_vec(),
        b"?OTR:AAMD\0.".to_vec(),
        b"?OTR:AA\0MD.".to_vec(),
        commit.clone(),
        [&commit[..], data].concat(),
        [data, &commit[..]].concat(),
        [b"text ", &data[..], b" text"].concat(),
        [b"?OTR:AAMD. ", &data[..]].concat(),
        data[..data.len() - 1].to_vec(),
        data[..data.len() - 9].to_vec(),
    ]
}

#[test]
fn readforge() {
    for input in inputs() {
        for arguments in [
            &[AES][..],
            &[AES, "new"],
            &[AES, ""],
            &[AES, "-n"],
            &[AES, "--help"],
        ] {
            check("otr_readforge", arguments, &input);
        }
    }
    for digits in HEX {
        check("otr_readforge", &[digits], b"");
        check("otr_readforge", &[digits, "new"], b"");
    }
}

#[test]
fn modify() {
    for input in inputs() {
        check("otr_modify", &[MAC, "old", "new", "0"], &input);
    }
    for digits in HEX {
        check("otr_modify", &[digits, "old", "new", "0"], b"");
        check("otr_modify", &[digits, "old", "longer", "x"], b"");
    }
    check("otr_modify", &[MAC, "old", "longer", "0"], b"");
    check("otr_modify", &[MAC, "old", "longer", "x"], b"");
    for offset in NUMBERS {
        check("otr_modify", &[MAC, "old", "new", offset], b"");
    }
}

/// What C reads as a number, and what it does not.
const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "010",
    "0x10",
    "255",
    "256",
    "257",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "4294967301",
    "18446744073709551615",
    "18446744073709551621",
    "-1",
    "-5",
    " \t\n5",
    "+5x",
    "",
    " ",
    "x",
    "+",
    "- 1",
];

#[test]
fn remac() {
    let sound = [
        MAC,
        "256",
        "512",
        "1",
        "1",
        "2",
        "0506",
        "0000000000000001",
        "736563",
        "2222222222222222222222222222222222222222",
    ];
    check("otr_remac", &sound, b"");
    for place in 0..sound.len() {
        let mut arguments = sound;
        let strange = if (1..6).contains(&place) {
            &NUMBERS[..]
        } else {
            &HEX
        };
        for argument in strange {
            arguments[place] = argument;
            check("otr_remac", &arguments, b"");
        }
        // Which of two mistakes is reported.
        arguments[place] = "?";
        for other in 0..place {
            let mut arguments = arguments;
            arguments[other] = "!?";
            check("otr_remac", &arguments, b"");
        }
    }
}

#[test]
fn texts_are_bytes() {
    let message = &inputs()[10];
    let aes = AES.as_bytes();
    for text in [&b"\xff\xfe"[..], b"\x1b[1m", b"a\nb", b"%s%n"] {
        compare("otr_readforge", &[aes, text], message);
        compare("otr_modify", &[MAC.as_bytes(), text, text, b"0"], message);
        compare("otr_mackey", &[text], b"");
        compare("otr_mackey", &[&[text, b"x"].concat()], b"");
    }
}
