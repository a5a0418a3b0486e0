//! Minimising a smooth function of a few numbers by L-BFGS (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4), with
//! a backtracking line search.

/// Pairs of steps and gradients that are kept.
const MEMORY: usize = 10;

/// Where the largest part of the gradient is below it, the minimum is reached.
const FLAT: f64 = 1e-5;

/// The longest first step of an iteration, in any number.
const LONGEST: f64 = 2.0;

/// A point that is lower than `start`, after so many steps at most. The function gives value and gradient; a value that is not
/// finite is a wall.
pub(crate) fn minimise(start: Vec<f64>, steps: usize, mut function: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let mut at = start;
    let (mut value, mut gradient) = function(&at);
    let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..steps {
        if gradient.iter().all(|g| g.abs() < FLAT) {
            break;
        }
        let mut direction = descent(&gradient, &pairs);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&direction, &gradient);
        }
        let longest = direction.iter().fold(0.0f64, |most, d| most.max(d.abs()));
        let mut length = if pairs.is_empty() {
            (1.0 / longest).min(1.0)
        } else {
            (LONGEST / longest).min(1.0)
        };
        let next = loop {
            let to: Vec<f64> = at.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (there, slopes) = function(&to);
            if there.is_finite() && there <= value + 1e-4 * length * slope {
                break Some((to, there, slopes));
            }
            length /= 2.0;
            if length < 1e-8 {
                break None;
            }
        };
        let Some((to, lower, slopes)) = next else { break };
        let step: Vec<f64> = to.iter().zip(&at).map(|(b, a)| b - a).collect();
        let change: Vec<f64> = slopes.iter().zip(&gradient).map(|(b, a)| b - a).collect();
        if dot(&step, &change) > 1e-12 {
            if pairs.len() == MEMORY {
                pairs.remove(0);
            }
            pairs.push((step, change));
        }
        let gained = value - lower;
        (at, value, gradient) = (to, lower, slopes);
        if gained < 1e-9 * (1.0 + value.abs()) {
            break;
        }
    }
    at
}

/// The negative gradient, times what the pairs tell of the inverse Hessian.
fn descent(gradient: &[f64], pairs: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut weights = Vec::with_capacity(pairs.len());
    for (step, change) in pairs.iter().rev() {
        let weight = dot(step, &direction) / dot(step, change);
        add(&mut direction, -weight, change);
        weights.push(weight);
    }
    if let Some((step, change)) = pairs.last() {
        let scale = dot(step, change) / dot(change, change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change), weight) in pairs.iter().zip(weights.iter().rev()) {
        let correction = weight - dot(change, &direction) / dot(step, change);
        add(&mut direction, correction, step);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += times * w);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_rosenbrocks_valley() {
        let found = minimise(vec![-1.2, 1.0], 200, |x| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
        });
        assert!(
            (found[0] - 1.0).abs() < 1e-3 && (found[1] - 1.0).abs() < 1e-3,
            "{found:?}"
        );
    }
}
