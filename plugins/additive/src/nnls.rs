//! Least squares with coefficients that are not negative (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23).

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// Coefficients, none negative, that minimise `|rows x - targets|^2 + ridge |x|^2`, a row being as long as `x`.
pub(crate) fn nnls(rows: &[Vec<f64>], targets: &[f64], ridge: f64) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    let moment = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let moments = Mat::from_fn(width, width, |a, b| moment(a, b) + if a == b { ridge } else { 0.0 });
    let projected: Vec<f64> = (0..width)
        .map(|a| rows.iter().zip(targets).map(|(row, y)| row[a] * y).sum())
        .collect();
    let mut x = vec![0.0; width];
    let mut free: Vec<usize> = Vec::new();
    // Each round frees one; that one comes and goes again without end does not happen but by rounding.
    for _ in 0..3 * width {
        let slope = |a: usize| projected[a] - (0..width).map(|b| moments[(a, b)] * x[b]).sum::<f64>();
        let steepest = (0..width)
            .filter(|a| !free.contains(a) && moments[(*a, *a)] > 0.0)
            .map(|a| (slope(a), a))
            .filter(|(slope, a)| *slope > 1e-10 * projected[*a].abs())
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, next)) = steepest else { break };
        free.push(next);
        loop {
            let Some(wanted) = solve(&moments, &projected, &free) else {
                free.pop();
                return x;
            };
            if wanted.iter().all(|value| *value > 0.0) {
                x.fill(0.0);
                free.iter().zip(&wanted).for_each(|(a, value)| x[*a] = *value);
                break;
            }
            // As far as the first that would become negative, which is bound again.
            let reach = free.iter().zip(&wanted).filter(|(_, value)| **value <= 0.0);
            let reach = reach.map(|(a, value)| x[*a] / (x[*a] - value)).fold(1.0, f64::min);
            for (a, value) in free.iter().zip(&wanted) {
                x[*a] += reach * (value - x[*a]);
            }
            free.retain(|a| x[*a] > 1e-14);
            for (a, value) in x.iter_mut().enumerate() {
                if !free.contains(&a) {
                    *value = 0.0;
                }
            }
            if free.is_empty() {
                break;
            }
        }
    }
    x
}

/// The least squares of the free ones alone.
fn solve(moments: &Mat<f64>, projected: &[f64], free: &[usize]) -> Option<Vec<f64>> {
    let count = free.len();
    let own = Mat::from_fn(count, count, |i, j| moments[(free[i], free[j])]);
    let right = Mat::from_fn(count, 1, |i, _| projected[free[i]]);
    let solution = own.llt(Side::Lower).ok()?.solve(&right);
    Some(solution.col(0).iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_negative_is_nothing() {
        let rows = vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]];
        let found = nnls(&rows, &[2.0, -1.0, 1.5], 0.0);
        // With the second bound to 0 the first is (2 + 1.5) / 2.
        assert!((found[0] - 1.75).abs() < 1e-12 && found[1] == 0.0, "{found:?}");
        let inside = nnls(&rows, &[2.0, 1.0, 3.0], 0.0);
        assert!(
            (inside[0] - 2.0).abs() < 1e-9 && (inside[1] - 1.0).abs() < 1e-9,
            "{inside:?}"
        );
    }
}
