//! Exact integer money: half-even division with 256-bit intermediates, and posting.

use crate::limits::MONEY_SATURATION;

/// `he(n / d)`: quotient rounded half to even. `d` must be positive.
#[inline]
pub fn he_div(n: i128, d: i128) -> i128 {
    debug_assert!(d > 0);
    if d == 1 {
        return n;
    }
    // Magnitudes divide, then the sign returns: half-even is symmetric.
    let (size, by) = (n.unsigned_abs(), d as u128);
    let magnitude = if size <= u128::from(u64::MAX) && by <= u128::from(u64::MAX) {
        let (size, by) = (size as u64, by as u64);
        let (q, r) = (size / by, size % by);
        u128::from(q + u64::from(above_half(r, by, q & 1)))
    } else {
        let q = size / by;
        let r = size - q * by;
        let rest = by - r;
        q + u128::from(r > rest || (r == rest && q & 1 == 1))
    };
    if n < 0 {
        -(magnitude as i128)
    } else {
        magnitude as i128
    }
}

/// Does a remainder round the quotient up (half goes to the even one)?
#[inline(always)]
fn above_half(r: u64, d: u64, odd: u64) -> bool {
    let rest = d - r;
    r > rest || (r == rest && odd == 1)
}

/// `he(a * b / d)` with an exact product; saturates at ±MONEY_SATURATION.
#[inline]
pub fn muldiv(a: i128, b: i128, d: i128) -> i128 {
    // Everyday amounts: one machine multiplication and one division.
    if let (Ok(a), Ok(b), Ok(d)) = (i64::try_from(a), i64::try_from(b), i64::try_from(d)) {
        if let Some(n) = a.checked_mul(b) {
            return i128::from(he_div_small(n, d));
        }
    }
    muldiv_exact(a, b, d)
}

/// `he(n / d)` of machine integers, d > 0.
#[inline(always)]
fn he_div_small(n: i64, d: i64) -> i64 {
    if d == 1 {
        return n;
    }
    let (size, by) = (n.unsigned_abs(), d as u64);
    let (q, r) = (size / by, size % by);
    let magnitude = q + u64::from(above_half(r, by, q & 1));
    // The quotient of an i64 by at least 2 fits with its sign.
    if n < 0 {
        -(magnitude as i64)
    } else {
        magnitude as i64
    }
}

fn muldiv_exact(a: i128, b: i128, d: i128) -> i128 {
    match a.checked_mul(b) {
        Some(n) => he_div(n, d).clamp(-MONEY_SATURATION, MONEY_SATURATION),
        None => muldiv_wide(a, b, d),
    }
}

/// The slow path of `muldiv`: schoolbook 256-bit product and binary long division.
#[cold]
fn muldiv_wide(a: i128, b: i128, d: i128) -> i128 {
    let negative = (a < 0) != (b < 0);
    let (ua, ub, ud) = (a.unsigned_abs(), b.unsigned_abs(), d.unsigned_abs());
    let (high, low) = wide_mul(ua, ub);
    if high >= ud {
        return if negative { -MONEY_SATURATION } else { MONEY_SATURATION };
    }
    let mut rest = high;
    let mut quotient = 0u128;
    for bit in (0..128).rev() {
        let carry = rest >> 127;
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || rest >= ud {
            rest = rest.wrapping_sub(ud);
            quotient |= 1;
        }
    }
    let other = ud - rest;
    if rest > other || (rest == other && quotient & 1 == 1) {
        quotient += 1;
    }
    let magnitude = quotient.min(MONEY_SATURATION as u128) as i128;
    if negative {
        -magnitude
    } else {
        magnitude
    }
}

fn wide_mul(a: u128, b: u128) -> (u128, u128) {
    const MASK: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & MASK, b >> 64, b & MASK);
    let low = a0 * b0;
    let mid = a1 * b0 + (low >> 64);
    let (mid_high, mid_low) = (mid >> 64, mid & MASK);
    let cross = a0 * b1 + mid_low;
    (a1 * b1 + mid_high + (cross >> 64), (cross << 64) | (low & MASK))
}

/// Rounds half-even to a multiple of `unit` (the currency's minor unit at 8 decimals).
#[inline]
pub fn post(x: i128, unit: i128) -> i128 {
    if unit == 1 {
        return x;
    }
    if let (Ok(x), Ok(unit)) = (i64::try_from(x), i64::try_from(unit)) {
        return i128::from(he_div_small(x, unit)) * i128::from(unit);
    }
    he_div(x, unit) * unit
}

/// Smallest integer not below n / d, for d > 0.
#[inline]
pub fn ceil_div(n: i128, d: i128) -> i128 {
    if let (Ok(n), Ok(d)) = (i64::try_from(n), i64::try_from(d)) {
        let q = n / d;
        return i128::from(q) + i128::from(n % d > 0);
    }
    -((-n).div_euclid(d))
}

/// 10^n as i128; n is at most 38.
#[inline]
pub const fn pow10(n: u32) -> i128 {
    10i128.pow(n)
}

/// Greatest common divisor of two positive numbers.
pub fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_even() {
        for (n, d, want) in [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (-3, 2, -2), (1, 3, 0)]
        {
            assert_eq!(he_div(n, d), want, "{n}/{d}");
            let big = pow10(25);
            assert_eq!(he_div(n * big, d * big), want, "{n}/{d} big");
            assert_eq!(muldiv_wide(n, 1, d), want, "{n}/{d} wide");
        }
    }

    #[test]
    fn wide_equals_narrow() {
        let mut x = 0x9E37_79B9_7F4A_7C15u64;
        for _ in 0..20_000 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let a = i128::from(x as i64) * 1_000_003;
            let b = i128::from((x >> 17) as i64 & 0xFFFF_FFFF) - 0x7FFF_FFFF;
            let d = i128::from(x >> 33) + 1;
            assert_eq!(he_div(a * b, d), muldiv_wide(a, b, d));
        }
    }

    #[test]
    fn posting() {
        assert_eq!(post(1_500_000, 1_000_000), 2_000_000);
        assert_eq!(post(2_500_000, 1_000_000), 2_000_000);
        assert_eq!(post(-2_500_000, 1_000_000), -2_000_000);
        assert_eq!(ceil_div(7, 2), 4);
        assert_eq!(ceil_div(-7, 2), -3);
    }
}
