//! Damage that any file can take.

use crate::Random;

/// Damages a file, which has one byte at least.
pub type Damage = fn(&mut Random, &[u8]) -> Vec<u8>;

/// Each sort of damage and its name. The result may be none: a byte may be replaced by itself.
pub const DAMAGE: [(&str, Damage); 7] = [
    ("bits", flip_bits),
    ("cut", cut),
    ("hole", a_hole_of_zeros),
    ("noise", noise),
    ("numbers", extreme_numbers),
    ("moved", move_a_piece),
    ("doubled", double_a_piece),
];

/// Up to 16 bits anywhere.
fn flip_bits(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    for _ in 0..=random.below(16) {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

fn cut(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    intact[..random.below(intact.len())].to_vec()
}

/// As after a crash of the system: some blocks never reached the disk.
fn a_hole_of_zeros(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    let (start, end) = piece(random, bytes.len(), 200);
    bytes[start..end].fill(0);
    bytes
}

/// A piece of other bytes.
fn noise(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    let (start, end) = piece(random, bytes.len(), 64);
    bytes[start..end].fill_with(|| random.below(256) as u8);
    bytes
}

/// Numbers that are rare in good files, mostly near the beginning, where sizes, counts and offsets are.
fn extreme_numbers(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    const NUMBERS: [&[u8]; 9] = [
        &[0],
        &[1],
        &[0x7f],
        &[0xff],
        &[0, 0],
        &[0xff, 0xff],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0x7f],
        &[0xff, 0xff, 0xff, 0xff],
    ];
    let mut bytes = intact.to_vec();
    for _ in 0..=random.below(3) {
        let head = if random.below(4) == 0 { bytes.len() } else { bytes.len().min(256) };
        let at = random.below(head);
        let number = *random.pick(&NUMBERS);
        let end = (at + number.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&number[..end - at]);
    }
    bytes
}

/// A piece is taken out and put back elsewhere.
fn move_a_piece(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    let (start, end) = piece(random, bytes.len(), 300);
    let taken: Vec<u8> = bytes.drain(start..end).collect();
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, taken);
    bytes
}

/// A piece is there a few times over.
fn double_a_piece(random: &mut Random, intact: &[u8]) -> Vec<u8> {
    let mut bytes = intact.to_vec();
    let (start, end) = piece(random, bytes.len(), 300);
    let again = bytes[start..end].repeat(1 + random.below(4));
    bytes.splice(end..end, again);
    bytes
}

/// Where a piece of one byte to `longest` starts and ends.
fn piece(random: &mut Random, length: usize, longest: usize) -> (usize, usize) {
    let start = random.below(length);
    (start, (start + 1 + random.below(longest)).min(length))
}
