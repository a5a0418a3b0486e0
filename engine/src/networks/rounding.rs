//! Numbers of channels that suit a device.

/// The nearest multiple, no more than 10 % below (`make_divisible` of the MobileNet papers' code).
pub(super) fn nearest_multiple(number: u32, of: u32) -> u32 {
    let of = of.max(1);
    let nearest = ((number + of / 2) / of * of).max(of);
    match u64::from(nearest) * 10 < u64::from(number) * 9 {
        true => nearest + of,
        false => nearest,
    }
}
