//! Counts what a pickle does, without doing it: a reader keeps some hundred bytes for each of its opcodes.

use std::io::{self, BufRead};

/// What follows an opcode.
enum Argument {
    Bytes(u64),
    /// A length of so many bytes, and so many bytes.
    Counted(usize),
    Lines(u8),
}

/// How many opcodes there are in up to `pickles` pickles that follow each other, counted up to `most`. The count ends where
/// something is no pickle, as a reader does.
pub(super) fn count(input: &mut dyn BufRead, pickles: usize, most: u64) -> io::Result<u64> {
    let mut done = 0;
    let mut counted = 0;
    while done < pickles && counted < most {
        let Some(opcode) = next(input)? else { break };
        let Some(argument) = argument(opcode) else { break };
        if !skip(input, &argument)? {
            break;
        }
        counted += 1;
        done += usize::from(opcode == b'.');
    }
    Ok(counted)
}

/// As Python's `pickletools` has them, up to protocol 5.
fn argument(opcode: u8) -> Option<Argument> {
    Some(match opcode {
        b'('
        | b'.'
        | b'0'
        | b'1'
        | b'2'
        | b'N'
        | b'R'
        | b'Q'
        | b'a'
        | b'b'
        | b'd'
        | b'}'
        | b'e'
        | b'l'
        | b']'
        | b'o'
        | b's'
        | b't'
        | b')'
        | b'u'
        | 0x81
        | 0x85..=0x89
        | 0x8f..=0x94
        | 0x97
        | 0x98 => Argument::Bytes(0),
        b'K' | b'h' | b'q' | 0x80 | 0x82 => Argument::Bytes(1),
        b'M' | 0x83 => Argument::Bytes(2),
        b'J' | b'j' | b'r' | 0x84 => Argument::Bytes(4),
        b'G' | 0x95 => Argument::Bytes(8),
        b'U' | b'C' | 0x8a | 0x8c => Argument::Counted(1),
        b'T' | b'X' | b'B' | 0x8b => Argument::Counted(4),
        0x8d | 0x8e | 0x96 => Argument::Counted(8),
        b'F' | b'I' | b'L' | b'S' | b'V' | b'P' | b'p' | b'g' => Argument::Lines(1),
        b'c' | b'i' => Argument::Lines(2),
        _ => return None,
    })
}

/// Whether all of it was there.
fn skip(input: &mut dyn BufRead, argument: &Argument) -> io::Result<bool> {
    match *argument {
        Argument::Bytes(count) => skip_bytes(input, count),
        Argument::Counted(size) => {
            let mut length = [0; 8];
            for byte in &mut length[..size] {
                let Some(next) = next(input)? else { return Ok(false) };
                *byte = next;
            }
            skip_bytes(input, u64::from_le_bytes(length))
        }
        Argument::Lines(lines) => {
            for _ in 0..lines {
                while let Some(byte) = next(input)? {
                    if byte == b'\n' {
                        break;
                    }
                }
            }
            Ok(true)
        }
    }
}

fn skip_bytes(input: &mut dyn BufRead, mut count: u64) -> io::Result<bool> {
    while count > 0 {
        let there = input.fill_buf()?.len() as u64;
        if there == 0 {
            return Ok(false);
        }
        let skipped = there.min(count);
        input.consume(skipped as usize);
        count -= skipped;
    }
    Ok(true)
}

fn next(input: &mut dyn BufRead) -> io::Result<Option<u8>> {
    let byte = input.fill_buf()?.first().copied();
    if byte.is_some() {
        input.consume(1);
    }
    Ok(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(mut bytes: &[u8], pickles: usize) -> u64 {
        count(&mut bytes, pickles, 1000).unwrap()
    }

    #[test]
    fn arguments_are_no_opcodes() {
        // PROTO, EMPTY_DICT, BINPUT, BINUNICODE, BININT1, SETITEM, STOP; each argument would be opcodes, too.
        assert_eq!(counted(b"\x80\x02}q(X\x03\0\0\0NNNK.s.NNN", 1), 7);
        assert_eq!(counted(b"cos\nsystem\n(I12\ntR.N.", 2), 8);
        assert_eq!(counted(&[b']'; 5000], 1), 1000);
    }

    #[test]
    fn what_is_cut_or_no_pickle_ends_the_count() {
        assert_eq!(counted(b"NN\xffNN", 1), 2);
        assert_eq!(counted(b"NX\xff\xff\xff\x7fNN", 1), 1);
        assert_eq!(counted(b"", 1), 0);
    }
}
