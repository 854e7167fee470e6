//! Which primary sampling units a replicate holds, and how often.

/// The weight factor of each primary sampling unit in replicate `number`.
///
/// In a stratum of n units, n - 1 are drawn with replacement, and a unit drawn k times counts
/// k n / (n - 1) times (J. Rao and C. Wu, Resampling inference with complex survey data, 1988). The
/// unit of a stratum that has no other stays as it is. The draws depend on `seed` and `number` alone.
pub(super) fn factors(strata: &[Vec<u32>], units: usize, seed: u64, number: u64) -> Vec<f64> {
    let mut draws = Draws(mix(seed).wrapping_add(mix(number.wrapping_add(GOLDEN))));
    let mut factors = vec![0.0; units];
    for stratum in strata {
        let n = stratum.len() as u64;
        let (times, share) = if n > 1 { (n - 1, n as f64 / (n - 1) as f64) } else { (n, 1.0) };
        for _ in 0..times {
            let unit = stratum.get(draws.below(n) as usize);
            if let Some(factor) = unit.and_then(|&unit| factors.get_mut(unit as usize)) {
                *factor += share;
            }
        }
    }
    factors
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `n`, each as likely (D. Lemire, Fast random integer generation, 2019).
    fn below(&mut self, n: u64) -> u64 {
        let uneven = n.wrapping_neg() % n.max(1);
        loop {
            let wide = u128::from(self.next()) * u128::from(n);
            if wide as u64 >= uneven {
                return (wide >> 64) as u64;
            }
        }
    }
}

fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_keeps_its_weight_and_every_unit_has_its_chance() {
        let strata = vec![vec![0, 2, 4], vec![1], vec![3, 5]];
        let mut totals = [0.0; 6];
        for number in 0..4000 {
            let found = factors(&strata, 6, 1, number);
            for stratum in &strata {
                let sum: f64 = stratum.iter().map(|&unit| found[unit as usize]).sum();
                assert!((sum - stratum.len() as f64).abs() < 1e-12);
            }
            assert_eq!(found[1], 1.0);
            assert_eq!(found, factors(&strata, 6, 1, number));
            totals.iter_mut().zip(found).for_each(|(total, factor)| *total += factor);
        }
        assert!(totals.iter().all(|total| (total / 4000.0 - 1.0).abs() < 0.06), "{totals:?}");
        assert_ne!(factors(&strata, 6, 1, 0), factors(&strata, 6, 2, 0));
    }
}
