#!/usr/bin/python3
"""Prints tails of the studentized range by mpmath at 18 digits, [q, k, df, P(Q > q)], and a power of Student's t,
[t, df, noncentrality, P(|T| > t)], for tests/stats/test_inference.c, in some ten minutes.

Needs Debian 12's python3-mpmath:
  /usr/bin/python3 tests/golden/make_range.py
"""
import mpmath as mp

mp.mp.dps = 18


def tail(w, k):
    """Of the range of k standard normals."""
    def f(z):
        return mp.npdf(z) * (mp.ncdf(z) ** (k - 1) - (mp.ncdf(z) - mp.ncdf(z - w)) ** (k - 1))
    return k * mp.quad(f, list(range(-10, 11, 2)) + [max(12, w / 2 + 10)])


def studentized(q, k, df):
    scale = mp.log(2) + mp.mpf(df) / 2 * mp.log(mp.mpf(df) / 2) - mp.loggamma(mp.mpf(df) / 2)
    low, high = -(45 / df + (45 / df) ** .5), mp.log(1 + 9.5 / df ** .5)
    return mp.quad(lambda u: mp.exp(scale + df * u - df * mp.exp(2 * u) / 2) * tail(q * mp.exp(u), k),
                   mp.linspace(low, high, 5))


for k, df, q in ((4, 25, 12), (3, 5, 6), (50, 2, 12)):
    print([q, k, df, mp.nstr(studentized(q, k, df), 15)], flush=True)


def power(t, df, d):
    half, middle = mp.mpf(df) / 2, mp.log(mp.mpf(d) / t)
    around = [middle + mp.mpf(2 * i) / d for i in range(-6, 7)] + [-45, -20, -10, -5, -3, -1, 0, 1, 2.4]
    return mp.quad(lambda u: mp.exp(mp.log(2) + half * mp.log(half) - mp.loggamma(half) + df * u - half * mp.exp(2 * u)) *
                   (mp.ncdf(d - t * mp.exp(u)) + mp.ncdf(-d - t * mp.exp(u))), sorted(around))


print([50, 3, 30, mp.nstr(power(50, 3, 30), 15)])
