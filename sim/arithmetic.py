"""A logarithm of our own, in plain arithmetic.

That of libm is a call, one number at a time, and NumPy's differs from it in the last bit. This one is the same
operations in the same order wherever it is written out, so that a loop of it is done several lanes at a time with the
bits of one alone. The method is fdlibm's (Sun Microsystems 1993, e_log.c, as revised in FreeBSD's msun), without its
branches.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import inner

__all__ = ["log"]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_MANTISSA = np.uint64((1 << 52) - 1)
_ONE = np.uint64(0x3FF0000000000000)
#: Bits of sqrt(1/2): a mantissa is halved from here on, so that what is left lies between that and its double.
_ROOT_HALF = np.uint64(0x3FE6A09E667F3BCD)
_SHIFT = np.uint64(52)


@inner
def log(x: float) -> float:
    """Return the natural logarithm of *x*, a positive normal number, to less than one unit in the last place."""
    # Offset so that x = 2**k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).
    bits = np.float64(x).view(np.uint64) + (_ONE - _ROOT_HALF)
    k = np.float64(bits >> _SHIFT) - 1023.0
    f = np.uint64((bits & _MANTISSA) + _ROOT_HALF).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)
