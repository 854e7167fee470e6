//! The index against a map, and what becomes of damaged bytes.

use std::collections::BTreeMap;

use super::*;
use crate::column::{Bits, Column, Strings, Values};

fn index(keys: &[u64], valid: Option<&[u8]>) -> Vec<u8> {
    let validity = valid.map(|bytes| Bits::new(bytes, 0, keys.len()).unwrap());
    let keys = Column { values: Values::U64(keys), validity };
    let rows: Vec<u32> = (0..keys.len() as u32).collect();
    let days: Vec<i64> = rows.iter().map(|row| -i64::from(*row)).collect();
    let columns = [
        Column { values: Values::U32(&rows), validity: None },
        Column { values: Values::I64(&days), validity: None },
    ];
    let texts = Strings::Offsets32(&[0, 2, 2, 5], b"oktwo");
    let texts = [Column { values: Values::Str(texts), validity: None }];
    let table = Table { keys: &keys, columns: &columns, texts: &texts, about: "who" };
    table.build().unwrap().concat()
}

/// Numbers that look random (Marsaglia's xorshift).
fn random(count: usize, below: u64) -> Vec<u64> {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..count).map(|_| next()).collect()
}

fn rows_of(index: &KeyIndex<Vec<u8>>, places: Range<usize>) -> Vec<u32> {
    let row = |place| {
        let (row, day) = index.row(place).split_first_chunk::<4>().unwrap();
        let row = u32::from_le_bytes(*row);
        assert_eq!(day, (-i64::from(row)).to_le_bytes());
        row
    };
    places.map(row).collect()
}

#[test]
fn every_key_has_the_rows_that_a_map_has() {
    for count in [0, 1, 15, 16, 17, 255, 256, 257, 4096, 4097, 20_000] {
        for below in [3, 1000, u64::MAX] {
            let mut keys = random(count, below);
            if let [first, .., last] = keys.as_mut_slice() {
                (*first, *last) = (u64::MAX, 0);
            }
            let mut map: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            keys.iter().zip(0..).for_each(|(key, row)| map.entry(*key).or_default().push(row));
            let index = KeyIndex::open(index(&keys, None), true).unwrap();
            assert_eq!((index.rows(), index.width(), index.about()), (count, 12, "who"));
            let mut wanted = keys.clone();
            wanted.extend((0..200).chain([u64::MAX, u64::MAX - 1]));
            wanted.extend(keys.iter().map(|key| key.wrapping_add(1)));
            let mut all = vec![];
            index.find_all(&wanted, |i, places| {
                assert_eq!(i, all.len());
                all.push(places);
            });
            assert_eq!(all.len(), wanted.len());
            // Runs are long where few keys differ: not each of them every time.
            let step = if below == 3 { 101 } else { 1 };
            for (key, places) in wanted.iter().zip(all).step_by(step) {
                assert_eq!(index.find(*key), places);
                let expected = map.get(key).cloned().unwrap_or_default();
                assert_eq!(rows_of(&index, places.clone()), expected);
                assert!(places.clone().all(|place| index.key(place) == Some(*key)));
            }
            assert_eq!(index.key(count), None);
            assert!(index.row(count).is_empty() && index.row(usize::MAX).is_empty());
        }
    }
}

#[test]
fn rows_without_a_key_are_left_out() {
    let index = KeyIndex::open(index(&[7, 7, 5], Some(&[0b101])), true).unwrap();
    assert_eq!(rows_of(&index, index.find(7)), [0]);
    assert_eq!(rows_of(&index, index.find(5)), [2]);
    assert_eq!(index.rows(), 2);
    let texts = [0, 1, 2, 3].map(|code| index.text(0, code).to_vec());
    assert_eq!(texts, [b"ok".to_vec(), vec![], b"two".to_vec(), vec![]]);
    assert!(index.text(1, 0).is_empty() && index.text(usize::MAX / 4, 0).is_empty());
    assert_eq!(index.number(0), None);
}

#[test]
fn an_index_of_nothing_finds_nothing() {
    let none = Column::null(0);
    let table = Table { keys: &none, columns: &[Column::null(0)], texts: &[], about: "" };
    let index = KeyIndex::open(table.build().unwrap().concat(), true).unwrap();
    assert_eq!((index.rows(), index.find(0)), (0, 0..0));
}

#[test]
fn other_columns_are_refused() {
    let keys = Column { values: Values::U64(&[1, 2]), validity: None };
    let text = Column { values: Values::I8(&[1, 2]), validity: None };
    let short = Column { values: Values::U32(&[1]), validity: None };
    for (keys, column) in [(&keys, &text), (&keys, &short), (&text, &keys)] {
        let columns = [column.clone()];
        let table = Table { keys, columns: &columns, texts: &[], about: "" };
        assert_eq!(table.build().unwrap_err(), Fault::Corrupt("the plan"));
    }
}

#[test]
fn damaged_bytes_are_refused_or_answered() {
    let keys = random(1000, 5000);
    let bytes = index(&keys, None);
    for end in (0..bytes.len()).step_by(7) {
        assert!(KeyIndex::open(&bytes[..end], false).is_err());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(KeyIndex::open(longer, false).unwrap_err(), Fault::Corrupt("the end"));
    let mut seen = 0;
    for at in (0..bytes.len()).step_by(5) {
        let mut changed = bytes.clone();
        changed[at] ^= 0xFF;
        if let Ok(index) = KeyIndex::open(changed.clone(), false) {
            seen += 1;
            for key in keys.iter().take(50) {
                let places = index.find(*key);
                assert!(places.start <= places.end && places.end <= index.rows().max(places.start));
            }
            let mut count = 0;
            index.find_all(&keys, |_, places| count += places.count());
            assert!(index.text(0, 2).len() <= 5);
            // Between two sections nobody looks.
            let gap = index.ranges.iter().all(|range| !range.contains(&at));
            assert_eq!(KeyIndex::open(changed, true).is_ok(), gap);
        }
    }
    assert!(seen > 1000);
    assert_eq!(KeyIndex::open(b"NSERPIX\n", false).unwrap_err(), Fault::Foreign);
    let mut other = bytes.clone();
    other[8] = 9;
    assert_eq!(KeyIndex::open(other, false).unwrap_err(), Fault::Format(9));
}
