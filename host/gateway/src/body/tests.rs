use super::*;
use crate::inflate::Inflate;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const LIMITS: Limits = Limits { body_bytes_max: 100_000, decompressed_bytes_max: 100_000 };

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that compress, but not to nothing.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|i| b"abcdefghijklmnop"[(i * i / 7 + i) % 16]).collect()
}

fn gunzip(compressed: &[u8], piece: usize) -> Result<Vec<u8>, &'static str> {
    let budget = Budget::new("bodies-bytes-max", 1 << 20);
    let mut whole = Growing { bytes: Vec::new(), share: budget.take(0).unwrap() };
    let mut stream = Inflate::new(Encoding::Gzip).unwrap();
    let mut all = || {
        for piece in compressed.chunks(piece) {
            stream.push(piece, &mut whole, &LIMITS)?;
        }
        stream.finish()
    };
    let result = all().map_err(|rejection| rejection.reason());
    assert!(whole.bytes.capacity() <= budget.used(), "every byte of the buffer was taken from the budget");
    result.map(|()| whole.bytes)
}

#[test]
fn a_stream_reads_the_same_in_pieces_of_any_size() {
    for length in [0, 1, 100, 4_095, 4_096, 4_097, 8_192, 65_537, 99_999, 100_000] {
        let plain = text(length);
        let compressed = gzip(&plain);
        for piece in [1, 2, 7, 1_000, usize::MAX] {
            assert!(gunzip(&compressed, piece).unwrap() == plain, "{length} bytes in pieces of {piece}");
        }
    }
}

#[test]
fn one_byte_more_than_allowed_is_too_large() {
    for piece in [1, 100, usize::MAX] {
        assert_eq!(gunzip(&gzip(&text(100_001)), piece).unwrap_err(), "decompressed-bytes-max");
    }
}

#[test]
fn a_bomb_is_refused_before_it_unfolds() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < LIMITS.body_bytes_max);
    assert_eq!(gunzip(&bomb, usize::MAX).unwrap_err(), "decompressed-bytes-max");
}

#[test]
fn a_stream_that_was_cut_off_cannot_be_read() {
    let compressed = gzip(&text(5_000));
    for length in 1..compressed.len() {
        assert_eq!(gunzip(&compressed[..length], usize::MAX).unwrap_err(), "unreadable-body", "{length}");
    }
}

#[test]
fn what_is_not_gzip_cannot_be_read() {
    let good = gzip(b"{}");
    let mut wrong_sum = good.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let garbage_behind = [&good[..], b"garbage"].concat();
    for bytes in [&b"{\"batch\":[]}"[..], &wrong_sum, &garbage_behind, &good[1..]] {
        assert_eq!(gunzip(bytes, usize::MAX).unwrap_err(), "unreadable-body");
        assert_eq!(gunzip(bytes, 1).unwrap_err(), "unreadable-body");
    }
}

#[test]
fn several_members_are_one_stream() {
    let members = [gzip(&text(10)), gzip(b""), gzip(&text(5_000))].concat();
    for piece in [1, 13, usize::MAX] {
        assert_eq!(gunzip(&members, piece).unwrap(), [text(10), text(5_000)].concat());
    }
}

#[test]
fn a_body_beyond_the_budget_for_all_bodies_is_told_to_come_back() {
    let budget = Budget::new("bodies-bytes-max", 10_000);
    let mut whole = Growing { bytes: Vec::new(), share: budget.take(0).unwrap() };
    for _ in 0..10 {
        whole.push(&[0; 1_000], 100_000).unwrap();
    }
    let refused = whole.push(&[0; 1], 100_000).unwrap_err();
    assert_eq!(refused.reason(), "bodies-bytes-max");
    assert_eq!(budget.used(), whole.bytes.capacity());
    drop(whole);
    assert_eq!(budget.used(), 0);
}
