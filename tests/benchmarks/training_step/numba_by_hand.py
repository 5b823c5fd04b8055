"""Backpropagation through time written by hand for numba: the limit of what Python can reach.

The matrix products are BLAS's; everything elementwise of a step is one loop over its elements,
which the compiler turns into vector instructions. It cannot do that with the library's tanh, so
tanh is a fraction of two polynomials: Lambert's continued fraction, cut after the ninth term, of
half the argument,

    tanh(x) = 2 t / (1 + t²),   t = tanh(x / 2) ≈ x/2 / (1 + (x/2)² / (3 + (x/2)² / (5 + ...))).
"""

from __future__ import annotations

import numba
import numpy as np

from tests.benchmarks.training_step.numpy_by_hand import (
    _by_row,
    _empty,
    _outer,
    _Readout,
    _rows_summed,
)
from tests.benchmarks.training_step.problem import NAMES

compiled = numba.njit(fastmath={"contract", "arcp", "nsz", "reassoc"}, error_model="numpy")
f4 = np.float32


@compiled
def _tanh(x):
    x = min(max(x, f4(-9)), f4(9)) * f4(0.5)
    s = x * x
    above = (((s + f4(990)) * s + f4(135135)) * s + f4(4729725)) * s + f4(34459425)
    below = (((f4(45) * s + f4(13860)) * s + f4(945945)) * s + f4(16216200)) * s + f4(34459425)
    above = x * above
    return f4(2) * above * below / (below * below + above * above)


@compiled
def _sigmoid(x):
    return f4(0.5) * _tanh(f4(0.5) * x) + f4(0.5)


def contestant(given):
    """A function without arguments that runs a step and gives the loss and the gradients."""
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[given.cell](given)


# --- RNN ------------------------------------------------------------------------------------------


@compiled
def _rnn_forward(h, U_T, product):
    T, B, H = h.shape[0] - 1, h.shape[1], h.shape[2]
    for t in range(T):
        np.dot(h[t], U_T, product)
        for b in range(B):
            now, term = h[t + 1, b], product[b]
            for j in range(H):
                now[j] = _tanh(now[j] + term[j])


@compiled
def _rnn_backward(h, dh, U, da, dh_next):
    T, B, H = dh.shape
    for t in range(T - 1, -1, -1):
        for b in range(B):
            now, g, back, a = h[t + 1, b], dh[t, b], dh_next[b], da[t, b]
            for j in range(H):
                a[j] = (g[j] + back[j]) * (f4(1) - now[j] * now[j])
        np.dot(da[t], U, dh_next)


def _rnn(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    hs = np.zeros((T + 1, B, H), np.float32)
    h, dh, da, product = hs[1:], _empty(T, B, H), _empty(T, B, H), _empty(B, H)
    readout = _Readout(given)

    def run():
        U = p["weight_hh"]
        np.dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]), h.reshape(T * B, H))
        np.add(h, p["bias_ih"] + p["bias_hh"], h)
        _rnn_forward(hs, _by_row(U), product)
        loss, dV, db_out = readout(h, dh)
        product.fill(0)
        _rnn_backward(hs, dh, U, da, product)
        db = _rows_summed(da)
        gradients = _outer(da, X), _outer(da, hs[:-1]), db, db.copy(), dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run


# --- LSTM -----------------------------------------------------------------------------------------


@compiled
def _lstm_forward(gates, hs, cs, tanh_c, U_T, product):
    T, B, H = tanh_c.shape
    for t in range(T):
        np.dot(hs[t], U_T, product)
        for b in range(B):
            a, q, before, c = gates[t, b], product[b], cs[t, b], cs[t + 1, b]
            tc, h = tanh_c[t, b], hs[t + 1, b]
            for j in range(H):
                i = _sigmoid(a[j] + q[j])
                f = _sigmoid(a[H + j] + q[H + j])
                g = _tanh(a[2 * H + j] + q[2 * H + j])
                o = _sigmoid(a[3 * H + j] + q[3 * H + j])
                a[j], a[H + j], a[2 * H + j], a[3 * H + j] = i, f, g, o
                c[j] = f * before[j] + i * g
                tc[j] = _tanh(c[j])
                h[j] = o * tc[j]


@compiled
def _lstm_backward(gates, cs, tanh_c, dh, U, da, dh_next, dc_next):
    T, B, H = tanh_c.shape
    for t in range(T - 1, -1, -1):
        for b in range(B):
            a, before, tc, g_h, back = gates[t, b], cs[t, b], tanh_c[t, b], dh[t, b], dh_next[b]
            carried, d = dc_next[b], da[t, b]
            for j in range(H):
                i, f, g, o = a[j], a[H + j], a[2 * H + j], a[3 * H + j]
                dh_j = g_h[j] + back[j]
                dc = carried[j] + dh_j * o * (f4(1) - tc[j] * tc[j])
                d[j] = dc * g * i * (f4(1) - i)
                d[H + j] = dc * before[j] * f * (f4(1) - f)
                d[2 * H + j] = dc * i * (f4(1) - g * g)
                d[3 * H + j] = dh_j * tc[j] * o * (f4(1) - o)
                carried[j] = dc * f
        np.dot(da[t], U, dh_next)


def _lstm(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    hs, cs = np.zeros((2, T + 1, B, H), np.float32)
    gates, da = _empty(2, T, B, 4 * H)
    tanh_c, dh = _empty(2, T, B, H)
    product, dh_next, dc_next = _empty(B, 4 * H), *_empty(2, B, H)
    readout = _Readout(given)

    def run():
        U = p["weight_hh"]
        np.dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]), gates.reshape(T * B, -1))
        np.add(gates, p["bias_ih"] + p["bias_hh"], gates)
        _lstm_forward(gates, hs, cs, tanh_c, _by_row(U), product)
        loss, dV, db_out = readout(hs[1:], dh)
        dh_next.fill(0)
        dc_next.fill(0)
        _lstm_backward(gates, cs, tanh_c, dh, U, da, dh_next, dc_next)
        db = _rows_summed(da)
        gradients = _outer(da, X), _outer(da, hs[:-1]), db, db.copy(), dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run


# --- GRU ------------------------------------------------------------------------------------------


@compiled
def _gru_forward(gates, inner, hs, U_T, bias):
    T, B, H = gates.shape[0], gates.shape[1], hs.shape[2]
    for t in range(T):
        np.dot(hs[t], U_T, inner[t])
        for b in range(B):
            a, q, before, h = gates[t, b], inner[t, b], hs[t, b], hs[t + 1, b]
            for j in range(H):
                r = _sigmoid(a[j] + q[j] + bias[j])
                z = _sigmoid(a[H + j] + q[H + j] + bias[H + j])
                q[2 * H + j] += bias[2 * H + j]
                n = _tanh(a[2 * H + j] + r * q[2 * H + j])
                a[j], a[H + j], a[2 * H + j] = r, z, n
                h[j] = n + z * (before[j] - n)


@compiled
def _gru_backward(gates, inner, hs, dh, U, da, da_inner, dh_next, kept):
    T, B, H = dh.shape
    for t in range(T - 1, -1, -1):
        for b in range(B):
            a, q, before, g_h, back = gates[t, b], inner[t, b], hs[t, b], dh[t, b], dh_next[b]
            keep, d, e = kept[b], da[t, b], da_inner[t, b]
            for j in range(H):
                r, z, n = a[j], a[H + j], a[2 * H + j]
                dh_j = g_h[j] + back[j] + keep[j]
                dn = dh_j * (f4(1) - z) * (f4(1) - n * n)
                dz = dh_j * (before[j] - n) * z * (f4(1) - z)
                dr = dn * q[2 * H + j] * r * (f4(1) - r)
                d[j], d[H + j], d[2 * H + j] = dr, dz, dn
                e[j], e[H + j], e[2 * H + j] = dr, dz, dn * r
                keep[j] = dh_j * z
        np.dot(da_inner[t], U, dh_next)


def _gru(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    hs = np.zeros((T + 1, B, H), np.float32)
    gates, inner, da, da_inner = _empty(4, T, B, 3 * H)
    dh, dh_next, kept = _empty(T, B, H), *_empty(2, B, H)
    readout = _Readout(given)

    def run():
        U = p["weight_hh"]
        np.dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]), gates.reshape(T * B, -1))
        np.add(gates, p["bias_ih"], gates)
        _gru_forward(gates, inner, hs, _by_row(U), p["bias_hh"])
        loss, dV, db_out = readout(hs[1:], dh)
        dh_next.fill(0)
        kept.fill(0)
        _gru_backward(gates, inner, hs, dh, U, da, da_inner, dh_next, kept)
        db_ih, db_hh = _rows_summed(da), _rows_summed(da_inner)
        gradients = _outer(da, X), _outer(da_inner, hs[:-1]), db_ih, db_hh, dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run
