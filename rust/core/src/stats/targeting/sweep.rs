//! One pass over sorted rows: who is poor, who is targeted, and the pairs in the right order.

/// A row of the sample, with what it takes to weigh and to count it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Weight in units.
    pub units: f64,
    /// Primary sampling unit.
    pub unit: u32,
    pub group: u32,
    /// Place of its score among the distinct ones.
    pub run: u32,
    /// Place of its welfare among the distinct ones; 0 and 1 if the poor are given.
    pub welfare: u32,
    pub targeted: bool,
}

/// Weights of a group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub tp: u64,
    pub fp: u64,
    /// Weight of the poor, and of the others, with lower scores.
    pub poor: u64,
    pub other: u64,
    /// Twice the weight of pairs in the right order.
    pub area: u128,
}

/// Up to where the scores are targeted.
pub(super) enum Until {
    /// So many of the distinct ones.
    Run(u32),
    /// As many as it takes to have so much weight, and at most so many of the distinct ones.
    Sum { need: f64, runs: u32 },
}

/// Where a group is counted: one that is alone needs no look-up.
pub(super) trait Slots {
    fn slot(&mut self, group: u32) -> Option<&mut Tally>;
}

impl Slots for Tally {
    #[inline]
    fn slot(&mut self, _group: u32) -> Option<&mut Tally> {
        Some(self)
    }
}

impl Slots for [Tally] {
    #[inline]
    fn slot(&mut self, group: u32) -> Option<&mut Tally> {
        self.get_mut(group as usize)
    }
}

/// Counts all rows in order of score; returns the last run that is targeted by its score.
#[inline]
pub(super) fn sweep<S: Slots + ?Sized>(
    rows: &[Row],
    weights: &[u64],
    ranks: u32,
    cut: &Until,
    slots: &mut S,
) -> Option<u32> {
    let (runs, need) = match *cut {
        Until::Run(runs) => (runs, f64::INFINITY),
        Until::Sum { need, runs } => (runs, need),
    };
    let mut last = None;
    let (mut sum, mut rest) = (0u64, weights);
    for rows in rows.chunk_by(|a, b| a.run == b.run) {
        let Some((now, later)) = rest.split_at_checked(rows.len()) else { break };
        rest = later;
        let Some(first) = rows.first() else { continue };
        let open = first.run < runs && (sum as f64) < need;
        if open {
            last = Some(first.run);
        }
        let alone = rows.len() == 1;
        for (row, &weight) in rows.iter().zip(now) {
            sum += weight;
            let Some(tally) = slots.slot(row.group) else { continue };
            // Products, not branches: who is poor is hard to foresee. Beside a run's others
            // lie half of its poor: they are counted before and after.
            let poor = weight * u64::from(row.welfare < ranks);
            let targeted = u64::from(open | row.targeted);
            tally.area += u128::from(weight - poor) * u128::from(tally.poor << u32::from(alone));
            tally.tp += poor * targeted;
            tally.fp += (weight - poor) * targeted;
            tally.other += weight - poor;
            tally.poor += if alone { poor } else { 0 };
        }
        if !alone {
            join_poor(rows, now, ranks, slots);
        }
    }
    last
}

/// Adds the poor of a run, and half of them to the area of its others.
fn join_poor<S: Slots + ?Sized>(rows: &[Row], weights: &[u64], ranks: u32, slots: &mut S) {
    for (row, &weight) in rows.iter().zip(weights) {
        if let Some(tally) = slots.slot(row.group) {
            tally.poor += weight * u64::from(row.welfare < ranks);
        }
    }
    for (row, &weight) in rows.iter().zip(weights) {
        if let Some(tally) = slots.slot(row.group) {
            let other = weight * u64::from(row.welfare >= ranks);
            tally.area += u128::from(other) * u128::from(tally.poor);
        }
    }
}

/// The run in which the sum of the weights reaches what is needed, and the sum with all of it.
pub(super) fn first_run(rows: impl Iterator<Item = (u32, u64)>, need: f64) -> (Option<u32>, u64) {
    let (mut sum, mut found) = (0, None);
    for (run, weight) in rows {
        if found.is_some_and(|found| found != run) {
            break;
        }
        sum += weight;
        if weight > 0 && sum as f64 >= need {
            found = Some(run);
        }
    }
    (found, sum)
}
