//! Temporary.
use super::Scorer;
use super::alphabet::Symbol;

pub(super) struct Exact<'q, S> {
    scorer: Scorer,
    query: &'q [S],
    masks: Option<Vec<u64>>,
}

impl<'q, S: Symbol> Exact<'q, S> {
    pub fn new(scorer: Scorer, query: &'q [S]) -> Self {
        let masks = (query.len() <= 64 && query.len() > 0 && size_of::<S>() == 1).then(|| {
            let mut m = vec![0u64; 256];
            for (i, &c) in query.iter().enumerate() {
                let c: u32 = c.into();
                if let Some(m) = m.get_mut(c as usize) {
                    *m |= 1 << i
                }
            }
            m
        });
        Self { scorer, query, masks }
    }

    #[expect(clippy::indexing_slicing, reason = "temporary")]
    pub fn score(&self, text: &[S], _cutoff: f64) -> f64 {
        let (n, m) = (self.query.len(), text.len());
        if n == 0 || m == 0 {
            return if n == m { 1.0 } else { 0.0 };
        }
        match (self.scorer, &self.masks) {
            (Scorer::JaroWinkler, Some(pm)) if m <= 64 => {
                let w = (n.max(m) / 2).saturating_sub(1);
                let mut hi = if w + 1 >= 64 { u64::MAX } else { (1u64 << (w + 1)) - 1 };
                let mut lo = u64::MAX;
                let (mut fl, mut tf) = (0u64, 0u64);
                for j in 0..m {
                    let c: u32 = text[j].into();
                    let x = pm[(c & 255) as usize] & hi & lo & !fl;
                    fl |= x & x.wrapping_neg();
                    tf |= u64::from(x != 0) << j;
                    hi = (hi << 1) | 1;
                    if j >= w {
                        lo <<= 1
                    }
                }
                let c = fl.count_ones();
                if c == 0 {
                    return 0.0;
                }
                let (mut t, mut x, mut y) = (0u32, fl, tf);
                while y != 0 {
                    let bit = x & x.wrapping_neg();
                    let ch: u32 = text[y.trailing_zeros() as usize].into();
                    t += u32::from(pm[(ch & 255) as usize] & bit == 0);
                    x &= x - 1;
                    y &= y - 1;
                }
                let cf = f64::from(c);
                let s = (cf / n as f64 + cf / m as f64 + (cf - f64::from(t / 2)) / cf) / 3.0;
                let p = self.query.iter().zip(text).take(4).take_while(|(a, b)| a == b).count();
                if s > 0.7 { s + p as f64 * 0.1 * (1.0 - s) } else { s }
            }
            (Scorer::Levenshtein, Some(pm)) => {
                let (mut pv, mut mv, mut s) = (u64::MAX, 0u64, n);
                for j in 0..m {
                    let c: u32 = text[j].into();
                    let x = pm[(c & 255) as usize] | mv;
                    let d0 = ((x & pv).wrapping_add(pv) ^ pv) | x;
                    let hp = mv | !(d0 | pv);
                    let hn = d0 & pv;
                    s = s + (hp >> (n - 1) & 1) as usize - (hn >> (n - 1) & 1) as usize;
                    let hp = hp << 1 | 1;
                    pv = hn << 1 | !(d0 | hp);
                    mv = hp & d0;
                }
                1.0 - s as f64 / n.max(m) as f64
            }
            (Scorer::JaroWinkler, _) => naive_jw(self.query, text),
            (Scorer::Levenshtein, _) => naive_lev(self.query, text),
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "temporary")]
fn naive_jw<S: Symbol>(a: &[S], b: &[S]) -> f64 {
    let (n, m) = (a.len(), b.len());
    let w = (n.max(m) / 2).saturating_sub(1);
    let (mut fa, mut fb) = (vec![false; n], vec![false; m]);
    let mut c = 0;
    for j in 0..m {
        for i in j.saturating_sub(w)..(j + w + 1).min(n) {
            if !fa[i] && a[i] == b[j] {
                fa[i] = true;
                fb[j] = true;
                c += 1;
                break;
            }
        }
    }
    if c == 0 {
        return 0.0;
    }
    let x = a.iter().zip(&fa).filter(|x| *x.1).map(|x| x.0);
    let y = b.iter().zip(&fb).filter(|x| *x.1).map(|x| x.0);
    let t = x.zip(y).filter(|(x, y)| x != y).count();
    let cf = c as f64;
    let s = (cf / n as f64 + cf / m as f64 + (cf - (t / 2) as f64) / cf) / 3.0;
    let p = a.iter().zip(b).take(4).take_while(|(a, b)| a == b).count();
    if s > 0.7 { s + p as f64 * 0.1 * (1.0 - s) } else { s }
}

#[expect(clippy::indexing_slicing, reason = "temporary")]
fn naive_lev<S: Symbol>(a: &[S], b: &[S]) -> f64 {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut d = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let v = (d + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            d = row[j + 1];
            row[j + 1] = v;
        }
    }
    1.0 - row[b.len()] as f64 / a.len().max(b.len()) as f64
}
