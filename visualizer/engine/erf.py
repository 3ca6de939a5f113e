"""The error function for arrays, which NumPy lacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# x · P(x²) / Q(x²), fitted to math.erf on [0, 4] by reweighted linear least squares (its maximal error is 2e-9
# before rounding to float32). Coefficients from the constant up.
_P = (1.128379225730896, 0.1845570057630539, 0.05433839559555054, 0.0038365907967090607,
      0.00038369669346138835, 4.811074632016243e-06, -1.3813227006664874e-08)  # fmt: skip
_Q = (1.0, 0.4968929588794708, 0.11378603428602219, 0.0154512794688344, 0.0013103204546496272,
      6.429784843930975e-05)  # fmt: skip
_CHUNK = 16384  # numbers at a time, so that every pass stays in the cache


def erf(x: Array) -> Array:
    """The error function 2/√π ∫₀ˣ e^(−t²) dt for float32 or float64 `x` of any shape; NaN stays NaN.

    float64: `math.erf` of each number. float32: a rational approximation with an error under 4e-7.
    """
    if x.dtype == np.float64:
        return np.array([math.erf(v) for v in x.ravel().tolist()], dtype=np.float64).reshape(x.shape)
    out = np.empty(x.shape, dtype=x.dtype)
    flat_x, flat_out = np.ascontiguousarray(x).reshape(-1), out.reshape(-1)
    for start in range(0, flat_x.size, _CHUNK):
        _erf_float32(flat_x[start : start + _CHUNK], flat_out[start : start + _CHUNK])
    return out


def _erf_float32(x: Array, out: Array) -> None:
    z = np.clip(x, np.float32(-4), np.float32(4))
    t = z * z
    np.multiply(t, np.float32(_P[-1]), out=out)
    for coefficient in _P[-2:0:-1]:
        out += np.float32(coefficient)
        out *= t
    out += np.float32(_P[0])
    out *= z
    q = t * np.float32(_Q[-1])
    for coefficient in _Q[-2:0:-1]:
        q += np.float32(coefficient)
        q *= t
    q += np.float32(_Q[0])
    out /= q
    np.clip(out, np.float32(-1), np.float32(1), out=out)
