//! Which of two networks is better, where it is to be fast and to score well: non-dominated sorting and crowding.

use rand::Rng;
use rand::rngs::SmallRng;

use super::Individual;

/// What a network is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// The less the better.
    pub latency_ms: f64,
    /// The more the better.
    pub score: f64,
    /// By how much it takes longer than it may; such networks are worse than any that does not.
    pub excess: f64,
}

/// Where a network stands among the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// How many fronts lie before its own.
    pub rank: usize,
    /// How far its neighbours on the front are: those that stand alone are kept.
    pub crowding: f64,
}

impl Place {
    fn is_before(&self, other: &Self) -> bool {
        self.rank < other.rank || (self.rank == other.rank && self.crowding > other.crowding)
    }
}

/// The better one of two that are drawn, as its number.
pub(super) fn tournament(population: &[(Individual, Place)], rng: &mut SmallRng) -> usize {
    let (a, b) = (
        rng.random_range(0..population.len()),
        rng.random_range(0..population.len()),
    );
    if population[b].1.is_before(&population[a].1) {
        b
    } else {
        a
    }
}

/// The best `count`, each with its place among all.
pub(super) fn better_half(all: Vec<Individual>, count: usize) -> Vec<(Individual, Place)> {
    let points: Vec<Point> = all.iter().map(|individual| individual.point).collect();
    let mut placed: Vec<_> = all.into_iter().zip(places(&points)).collect();
    let crowding = |place: &Place| -place.crowding;
    placed.sort_by(|(_, a), (_, b)| (a.rank.cmp(&b.rank)).then(crowding(a).total_cmp(&crowding(b))));
    placed.truncate(count);
    placed
}

/// The place of each point. With two objectives fronts fall out of one sweep: in the order of latencies a point belongs to the first
/// front whose best score so far it exceeds (Jensen, IEEE Transactions on Evolutionary Computation 7, 2003).
fn places(points: &[Point]) -> Vec<Place> {
    let mut order: Vec<usize> = (0..points.len()).filter(|at| points[*at].excess == 0.0).collect();
    let key = |at: &usize| (points[*at].latency_ms, -points[*at].score);
    order.sort_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)));
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for at in order {
        let alike =
            |other: usize| (points[other].latency_ms, points[other].score) == (points[at].latency_ms, points[at].score);
        // The last of each front has its best score.
        let taken = |front: &Vec<usize>| {
            let last = *front.last().expect("no front is empty");
            points[last].score >= points[at].score && !alike(last)
        };
        let rank = fronts.partition_point(taken);
        match fronts.get_mut(rank) {
            Some(front) => front.push(at),
            None => fronts.push(vec![at]),
        }
    }
    // Behind all of them those that take too long, the least so first.
    let mut slow: Vec<usize> = (0..points.len()).filter(|at| points[*at].excess > 0.0).collect();
    slow.sort_by(|a, b| points[*a].excess.total_cmp(&points[*b].excess));
    let mut places = vec![Place { rank: 0, crowding: 0.0 }; points.len()];
    for (rank, front) in fronts.iter().enumerate() {
        for (at, crowding) in front.iter().zip(crowding(front, points)) {
            places[*at] = Place { rank, crowding };
        }
    }
    for (behind, at) in slow.into_iter().enumerate() {
        places[at].rank = fronts.len() + behind;
    }
    places
}

/// The distance of the neighbours of each point of a front, which is sorted by latency; infinite at its ends.
fn crowding(front: &[usize], points: &[Point]) -> Vec<f64> {
    let (first, last) = (points[front[0]], points[front[front.len() - 1]]);
    let spans = [last.latency_ms - first.latency_ms, last.score - first.score];
    let distance = |at: usize| {
        let (before, after) = (points[front[at - 1]], points[front[at + 1]]);
        let gaps = [after.latency_ms - before.latency_ms, after.score - before.score];
        let parts = gaps.iter().zip(spans);
        parts
            .filter(|(_, span)| *span > 0.0)
            .map(|(gap, span)| gap / span)
            .sum()
    };
    let inside = |at: usize| at > 0 && at + 1 < front.len();
    (0..front.len())
        .map(|at| if inside(at) { distance(at) } else { f64::INFINITY })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point((latency, score, excess): (u8, u8, u8)) -> Point {
        Point {
            latency_ms: latency.into(),
            score: score.into(),
            excess: excess.saturating_sub(200).into(),
        }
    }

    /// Whether `a` is better than `b`, by the definition.
    fn dominates(a: Point, b: Point) -> bool {
        match (a.excess > 0.0, b.excess > 0.0) {
            (false, true) => true,
            (true, false) => false,
            (true, true) => a.excess < b.excess,
            (false, false) => {
                let no_worse = a.latency_ms <= b.latency_ms && a.score >= b.score;
                no_worse && (a.latency_ms < b.latency_ms || a.score > b.score)
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_front_is_what_nothing_dominates(raw in prop::collection::vec((0u8..20, 0u8..20, 0u8..=255), 1..60)) {
            let points: Vec<Point> = raw.into_iter().map(point).collect();
            let found = places(&points);
            for (at, place) in found.iter().enumerate() {
                let dominated = points.iter().any(|other| dominates(*other, points[at]));
                if points[at].excess == 0.0 {
                    prop_assert_eq!(place.rank == 0, !dominated, "{:?} of {:?}", points[at], points);
                }
                for (other, second) in found.iter().enumerate() {
                    if dominates(points[other], points[at]) {
                        prop_assert!(second.rank < place.rank);
                    }
                }
            }
        }
    }
}
