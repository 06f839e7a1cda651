//! The layouts that compiled programs rely on, checked by the compiler.
//!
//! The numbers follow from the C declarations on systems with 4-byte `int`,
//! `long` as wide as a pointer and natural alignment; `tests/abi.rs` checks
//! the same for the installed headers.

use core::mem::{align_of, offset_of, size_of};

/// Asserts size and alignment of a structure and the offsets of its fields.
macro_rules! layout {
    ($name:ty: $size:literal $align:literal { $($field:ident $offset:literal),+ $(,)? }) => {
        const _: () = {
            assert!(size_of::<$name>() == $size);
            assert!(align_of::<$name>() == $align);
            $(assert!(offset_of!($name, $field) == $offset);)+
        };
    };
}

use super::auth::OtrlAuthInfo;
use super::context::{ConnContext, Fingerprint};
use super::context_priv::ConnContextPriv;
use super::dh::{DH_keypair, DH_sesskeys};
use super::instag::OtrlInsTag;
use super::message::OtrlMessageAppOps;
use super::privkey_t::{OtrlPendingPrivKey, OtrlPrivKey};
use super::sm::OtrlSMState;
use super::tlv::OtrlTLV;
use super::userstate::s_OtrlUserState;

#[cfg(target_pointer_width = "64")]
mod wide {
    use super::*;

    layout!(OtrlTLV: 24 8 {
        r#type 0,
        len 2,
        data 8,
        next 16,
    });
    layout!(OtrlInsTag: 40 8 {
        next 0,
        tous 8,
        accountname 16,
        protocol 24,
        instag 32,
    });
    layout!(OtrlPrivKey: 64 8 {
        next 0,
        tous 8,
        accountname 16,
        protocol 24,
        pubkey_type 32,
        privkey 40,
        pubkey_data 48,
        pubkey_datalen 56,
    });
    layout!(OtrlPendingPrivKey: 32 8 {
        next 0,
        tous 8,
        accountname 16,
        protocol 24,
    });
    layout!(s_OtrlUserState: 40 8 {
        context_root 0,
        privkey_root 8,
        instag_root 16,
        pending_root 24,
        timer_running 32,
    });
    layout!(DH_keypair: 24 8 {
        groupid 0,
        r#priv 8,
        r#pub 16,
    });
    layout!(DH_sesskeys: 144 8 {
        sendctr 0,
        rcvctr 16,
        sendenc 32,
        rcvenc 40,
        sendmac 48,
        sendmackey 56,
        sendmacused 76,
        rcvmac 80,
        rcvmackey 88,
        rcvmacused 108,
        extrakey 112,
    });
    layout!(OtrlSMState: 104 8 {
        secret 0,
        x2 8,
        x3 16,
        g1 24,
        g2 32,
        g3 40,
        g3o 48,
        p 56,
        q 64,
        pab 72,
        qab 80,
        nextExpected 88,
        received_question 92,
        sm_prog_state 96,
    });
    layout!(OtrlAuthInfo: 256 8 {
        authstate 0,
        context 8,
        our_dh 16,
        our_keyid 40,
        encgx 48,
        encgx_len 56,
        r 64,
        hashgx 80,
        their_pub 112,
        their_keyid 120,
        enc_c 128,
        enc_cp 136,
        mac_m1 144,
        mac_m1p 152,
        mac_m2 160,
        mac_m2p 168,
        their_fingerprint 176,
        initiated 196,
        protocol_version 200,
        secure_session_id 204,
        secure_session_id_len 224,
        session_id_half 232,
        lastauthmsg 240,
        commit_sent_time 248,
    });
    layout!(ConnContextPriv: 728 8 {
        fragment 0,
        fragment_len 8,
        fragment_n 16,
        fragment_k 18,
        their_keyid 20,
        their_y 24,
        their_old_y 32,
        our_keyid 40,
        our_dh_key 48,
        our_old_dh_key 72,
        sesskeys 96,
        numsavedkeys 672,
        saved_mac_keys 680,
        generation 688,
        lastsent 696,
        lastrecv 704,
        lastmessage 712,
        may_retransmit 720,
    });
    layout!(Fingerprint: 40 8 {
        next 0,
        tous 8,
        fingerprint 16,
        context 24,
        trust 32,
    });
    layout!(ConnContext: 472 8 {
        next 0,
        tous 8,
        context_priv 16,
        username 24,
        accountname 32,
        protocol 40,
        m_context 48,
        recent_rcvd_child 56,
        recent_sent_child 64,
        recent_child 72,
        our_instance 80,
        their_instance 84,
        msgstate 88,
        auth 96,
        fingerprint_root 352,
        active_fingerprint 392,
        sessionid 400,
        sessionid_len 424,
        sessionid_half 432,
        protocol_version 436,
        otr_offer 440,
        app_data 448,
        app_data_free 456,
        smstate 464,
    });
    layout!(OtrlMessageAppOps: 192 8 {
        policy 0,
        create_privkey 8,
        is_logged_in 16,
        inject_message 24,
        update_context_list 32,
        new_fingerprint 40,
        write_fingerprints 48,
        gone_secure 56,
        gone_insecure 64,
        still_secure 72,
        max_message_size 80,
        account_name 88,
        account_name_free 96,
        received_symkey 104,
        otr_error_message 112,
        otr_error_message_free 120,
        resent_msg_prefix 128,
        resent_msg_prefix_free 136,
        handle_smp_event 144,
        handle_msg_event 152,
        create_instag 160,
        convert_msg 168,
        convert_free 176,
        timer_control 184,
    });
}
/// With 4-byte pointers and a 4-byte `time_t` (32-bit x86 and ARM as they
/// have always been).
#[cfg(target_pointer_width = "32")]
mod narrow {
    use super::*;

    const _: () = assert!(size_of::<libc::time_t>() == 4);

    layout!(OtrlTLV: 12 4 {
        r#type 0,
        len 2,
        data 4,
        next 8,
    });
    layout!(OtrlInsTag: 20 4 {
        next 0,
        tous 4,
        accountname 8,
        protocol 12,
        instag 16,
    });
    layout!(OtrlPrivKey: 32 4 {
        next 0,
        tous 4,
        accountname 8,
        protocol 12,
        pubkey_type 16,
        privkey 20,
        pubkey_data 24,
        pubkey_datalen 28,
    });
    layout!(OtrlPendingPrivKey: 16 4 {
        next 0,
        tous 4,
        accountname 8,
        protocol 12,
    });
    layout!(s_OtrlUserState: 20 4 {
        context_root 0,
        privkey_root 4,
        instag_root 8,
        pending_root 12,
        timer_running 16,
    });
    layout!(DH_keypair: 12 4 {
        groupid 0,
        r#priv 4,
        r#pub 8,
    });
    layout!(DH_sesskeys: 128 4 {
        sendctr 0,
        rcvctr 16,
        sendenc 32,
        rcvenc 36,
        sendmac 40,
        sendmackey 44,
        sendmacused 64,
        rcvmac 68,
        rcvmackey 72,
        rcvmacused 92,
        extrakey 96,
    });
    layout!(OtrlSMState: 56 4 {
        secret 0,
        x2 4,
        x3 8,
        g1 12,
        g2 16,
        g3 20,
        g3o 24,
        p 28,
        q 32,
        pab 36,
        qab 40,
        nextExpected 44,
        received_question 48,
        sm_prog_state 52,
    });
    layout!(OtrlAuthInfo: 176 4 {
        authstate 0,
        context 4,
        our_dh 8,
        our_keyid 20,
        encgx 24,
        encgx_len 28,
        r 32,
        hashgx 48,
        their_pub 80,
        their_keyid 84,
        enc_c 88,
        enc_cp 92,
        mac_m1 96,
        mac_m1p 100,
        mac_m2 104,
        mac_m2p 108,
        their_fingerprint 112,
        initiated 132,
        protocol_version 136,
        secure_session_id 140,
        secure_session_id_len 160,
        session_id_half 164,
        lastauthmsg 168,
        commit_sent_time 172,
    });
    layout!(ConnContextPriv: 592 4 {
        fragment 0,
        fragment_len 4,
        fragment_n 8,
        fragment_k 10,
        their_keyid 12,
        their_y 16,
        their_old_y 20,
        our_keyid 24,
        our_dh_key 28,
        our_old_dh_key 40,
        sesskeys 52,
        numsavedkeys 564,
        saved_mac_keys 568,
        generation 572,
        lastsent 576,
        lastrecv 580,
        lastmessage 584,
        may_retransmit 588,
    });
    layout!(Fingerprint: 20 4 {
        next 0,
        tous 4,
        fingerprint 8,
        context 12,
        trust 16,
    });
    layout!(ConnContext: 300 4 {
        next 0,
        tous 4,
        context_priv 8,
        username 12,
        accountname 16,
        protocol 20,
        m_context 24,
        recent_rcvd_child 28,
        recent_sent_child 32,
        recent_child 36,
        our_instance 40,
        their_instance 44,
        msgstate 48,
        auth 52,
        fingerprint_root 228,
        active_fingerprint 248,
        sessionid 252,
        sessionid_len 272,
        sessionid_half 276,
        protocol_version 280,
        otr_offer 284,
        app_data 288,
        app_data_free 292,
        smstate 296,
    });
    layout!(OtrlMessageAppOps: 96 4 {
        policy 0,
        create_privkey 4,
        is_logged_in 8,
        inject_message 12,
        update_context_list 16,
        new_fingerprint 20,
        write_fingerprints 24,
        gone_secure 28,
        gone_insecure 32,
        still_secure 36,
        max_message_size 40,
        account_name 44,
        account_name_free 48,
        received_symkey 52,
        otr_error_message 56,
        otr_error_message_free 60,
        resent_msg_prefix 64,
        resent_msg_prefix_free 68,
        handle_smp_event 72,
        handle_msg_event 76,
        create_instag 80,
        convert_msg 84,
        convert_free 88,
        timer_control 92,
    });
}
