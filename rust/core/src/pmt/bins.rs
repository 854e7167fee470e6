//! A number to its bin, and to the bin's points.

use super::program::Bin;

/// Where a number goes: a rising list of cuts and what lies between them.
///
/// `x` belongs to region `k` when exactly `k` cuts are `<= x`. An open edge ("greater than `e`") is
/// the cut `next_up(e)`, so one comparison serves both sides, exactly.
#[derive(Debug, Clone)]
pub(super) struct Regions {
    pub cuts: Vec<f64>,
    /// Bin of each region, `None` in a gap; one longer than `cuts`.
    pub bins: Vec<Option<usize>>,
}

/// The width in which a number was stored, which is the width in which it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Double,
    /// 0.3 stored in 32 bits is 0.30000001; it still belongs to "up to 0.3".
    Single,
}

impl Width {
    /// The stored number nearest to `e`.
    #[inline(always)]
    pub fn edge(self, e: f64) -> f64 {
        match self {
            Self::Double => e,
            Self::Single => f64::from(e as f32),
        }
    }

    fn next_up(self, e: f64) -> f64 {
        match self {
            Self::Double => e.next_up(),
            Self::Single => f64::from((e as f32).next_up()),
        }
    }
}

impl Regions {
    /// Regions of `bins`. Where bins overlap the first one wins; the linter refuses such a model.
    pub fn new(bins: &[Bin], width: Width) -> Self {
        let mut cuts: Vec<f64> = bins
            .iter()
            .flat_map(|bin| {
                let closed = |e: f64| width.edge(e);
                let open = |e: f64| width.next_up(e);
                [bin.ge.map(closed), bin.gt.map(open), bin.lt.map(closed), bin.le.map(open)]
            })
            .flatten()
            .collect();
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        // A region holds its own lower cut; the first one has none, but holds the lowest number.
        let bins_of: Vec<_> = std::iter::once(f64::MIN)
            .chain(cuts.iter().copied())
            .map(|x| bins.iter().position(|bin| bin.contains(x, width)))
            .collect();
        Self { cuts, bins: bins_of }
    }

    /// Bin of `x`, which must be finite.
    pub fn bin(&self, x: f64) -> Option<usize> {
        let region = self.cuts.partition_point(|c| *c <= x);
        self.bins.get(region).copied().flatten()
    }
}

impl Bin {
    fn contains(&self, x: f64, width: Width) -> bool {
        let edge = |e| width.edge(e);
        self.ge.is_none_or(|e| x >= edge(e))
            && self.gt.is_none_or(|e| x > edge(e))
            && self.le.is_none_or(|e| x <= edge(e))
            && self.lt.is_none_or(|e| x < edge(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(ge: Option<f64>, gt: Option<f64>, le: Option<f64>, lt: Option<f64>) -> Bin {
        Bin { ge, gt, le, lt, points: 0.0 }
    }

    #[test]
    fn regions_agree_with_asking_each_bin() {
        let bins = [
            bin(None, Some(0.0), Some(0.2), None),
            bin(None, Some(0.2), Some(0.3), None),
            bin(Some(0.5), None, None, Some(0.9)),
            bin(None, Some(0.9), None, None),
        ];
        for width in [Width::Double, Width::Single] {
            let regions = Regions::new(&bins, width);
            let mut probes = vec![-1e30, 1e30];
            for e in [0.0, 0.2, 0.25, 0.3, 0.4, 0.5, 0.9] {
                let e = width.edge(e);
                probes.extend([e, e.next_up(), e.next_down(), width.next_up(e)]);
            }
            for x in probes.into_iter().map(|x| width.edge(x)) {
                let asked = bins.iter().position(|b| b.contains(x, width));
                assert_eq!(regions.bin(x), asked, "{x} {width:?}");
            }
        }
    }

    #[test]
    fn a_ratio_of_integers_falls_where_integer_arithmetic_puts_it() {
        let bins = [0.2, 0.3, 0.4].map(|e| bin(None, None, Some(e), None));
        let regions = Regions::new(&bins, Width::Double);
        for rooms in 1..=60u32 {
            for size in 1..=60u32 {
                let exact = [2, 3, 4].iter().position(|tenths| 10 * rooms <= tenths * size);
                assert_eq!(regions.bin(f64::from(rooms) / f64::from(size)), exact);
            }
        }
    }
}
