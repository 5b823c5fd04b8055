"""Backpropagation through time written by hand in NumPy, as fast as NumPy lets it be: the limit.

What makes it fast, and hard to read: one call serves all gates, which stand side by side in a row;
buffers are made once, and so is every view of a step; matrices are laid out as the products in the
loops read them; what needs no adjoint of a later step is done for all steps at once, before or
after the loops: the products with the inputs, the local derivatives, the sums over the steps.

    sigmoid(a) = (1 + tanh(a / 2)) / 2

makes one tanh serve the gates and the candidate of an LSTM. What a gate multiplies in the backward
pass is written as in "LSTM: A Search Space Odyssey" (Greff et al. 2017, section II.B).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.benchmarks.training_step.problem import NAMES


def contestant(given):
    """A function without arguments that runs a step and gives the loss and the gradients."""
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[given.cell](given)


def _empty(*shape):
    return np.empty(shape, np.float32)


def _by_row(matrix):
    return np.ascontiguousarray(matrix.T)


def _outer(da, x):
    """The outer products of da_t and x_t, summed over all steps and sequences: one product."""
    rows = da.shape[0] * da.shape[1]
    return da.reshape(rows, -1).T.dot(x.reshape(rows, -1))


def _rows_summed(a):
    """The sum over all steps and sequences: a product with ones takes a tenth of the time."""
    rows = a.shape[0] * a.shape[1]
    return _ones(rows).dot(a.reshape(rows, -1))


@cache
def _ones(n):
    return np.ones(n, np.float32)


class _Readout:
    """Scores, mean cross-entropy, and what comes back from them to every h_t, for all steps."""

    def __init__(self, given):
        T, B, O = given.size.T, given.size.B, given.size.O  # noqa: E741
        self.n, self.p = T * B, given.parameters
        self.right = np.arange(T * B) * O + given.y.reshape(-1)
        self.scores = _empty(T * B, O)
        self.flat = self.scores.reshape(-1)

    def __call__(self, h, dh):
        """The loss of the states h (T, B, H); fills dh (T, B, H), and gives dV and db."""
        V, b, scores = self.p["weight_out"], self.p["bias_out"], self.scores
        rows = h.reshape(self.n, -1)
        np.dot(rows, V.T, out=scores)
        scores += b
        scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)  # faster with than without
        right = self.flat[self.right].sum()
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        loss = (np.log(total).sum() - right) / self.n
        total *= self.n
        scores /= total
        self.flat[self.right] -= np.float32(1 / self.n)
        np.dot(scores, V, out=dh.reshape(self.n, -1))
        return loss, scores.T.dot(rows), _ones(self.n).dot(scores)


def _rnn(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    hs = np.zeros((T + 1, B, H), np.float32)
    h, dh, da, slope = hs[1:], _empty(T, B, H), _empty(T, B, H), _empty(T, B, H)
    product = _empty(B, H)
    readout = _Readout(given)
    forward = [(hs[t], hs[t + 1]) for t in range(T)]
    backward = [(dh[t], slope[t], da[t]) for t in range(T - 1, -1, -1)]

    def run():
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        U = p["weight_hh"]
        U_T = _by_row(U)
        dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]), h.reshape(T * B, H))
        add(h, p["bias_ih"] + p["bias_hh"], h)
        for before, now in forward:
            dot(before, U_T, product)
            add(now, product, now)
            tanh(now, now)
        loss, dV, db_out = readout(h, dh)
        multiply(h, h, slope)
        np.subtract(1, slope, slope)
        product.fill(0)
        for dh_t, slope_t, da_t in backward:
            add(dh_t, product, dh_t)
            multiply(dh_t, slope_t, da_t)
            dot(da_t, U, product)
        db = _rows_summed(da)
        gradients = _outer(da, X), _outer(da, hs[:-1]), db, db.copy(), dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run


def _lstm(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    half = np.repeat(np.float32([0.5, 0.5, 1, 0.5]), H)  # of the argument of i, f and o
    scale, shift = np.tile(half, (B, 1)), np.tile(1 - half, (B, 1))
    shift *= scale != 1
    hs, cs = np.zeros((2, T + 1, B, H), np.float32)
    h = hs[1:]
    gates, da, slopes = _empty(3, T, B, 4 * H)
    tanh_c, dh, to_c = _empty(3, T, B, H)
    product, dc, term, dh_next = _empty(B, 4 * H), *_empty(3, B, H)
    i, f, g, o = np.split(gates, 4, axis=2)
    slope_i, slope_f, slope_g, slope_o = np.split(slopes, 4, axis=2)
    da_ifg = da.reshape(T, B, 4, H)[:, :, :3]
    slopes_ifg = slopes.reshape(T, B, 4, H)[:, :, :3]
    dc_3 = dc[:, None]
    readout = _Readout(given)
    forward = [
        (hs[t], gates[t], i[t], f[t], g[t], o[t], cs[t], cs[t + 1], tanh_c[t], hs[t + 1])
        for t in range(T)
    ]
    backward = [
        (dh[t], to_c[t], f[t], da_ifg[t], slopes_ifg[t], da[t, :, 3 * H :], slope_o[t], da[t])
        for t in range(T - 1, -1, -1)
    ]

    def run():
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        U = p["weight_hh"]
        U_T = _by_row(U) * half
        dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]) * half, gates.reshape(T * B, -1))
        add(gates, (p["bias_ih"] + p["bias_hh"]) * half, gates)
        for before, a, i_t, f_t, g_t, o_t, c_before, c, tanh_c_t, h_t in forward:
            dot(before, U_T, product)
            add(a, product, a)
            tanh(a, a)
            multiply(a, scale, a)
            add(a, shift, a)
            multiply(f_t, c_before, c)
            multiply(i_t, g_t, term)
            add(c, term, c)
            tanh(c, tanh_c_t)
            multiply(o_t, tanh_c_t, h_t)
        loss, dV, db_out = readout(h, dh)
        # da_i = dc g i(1-i), da_f = dc c' f(1-f), da_g = dc i (1-g²), da_o = dh tanh(c) o(1-o),
        # and dh adds o (1 - tanh²(c)) dh to dc.
        np.subtract(1, gates, slopes)
        multiply(slopes, gates, slopes)
        multiply(g, g, slope_g)
        np.subtract(1, slope_g, slope_g)
        multiply(slope_i, g, slope_i)
        multiply(slope_f, cs[:-1], slope_f)
        multiply(slope_g, i, slope_g)
        multiply(slope_o, tanh_c, slope_o)
        multiply(tanh_c, tanh_c, to_c)
        np.subtract(1, to_c, to_c)
        multiply(to_c, o, to_c)
        dh_next.fill(0)
        dc.fill(0)
        for dh_t, to_c_t, f_t, da_ifg_t, slopes_ifg_t, da_o_t, slope_o_t, da_t in backward:
            add(dh_t, dh_next, dh_t)
            multiply(dh_t, to_c_t, term)
            add(dc, term, dc)
            multiply(dc_3, slopes_ifg_t, da_ifg_t)
            multiply(dh_t, slope_o_t, da_o_t)
            multiply(dc, f_t, dc)
            dot(da_t, U, dh_next)
        db = _rows_summed(da)
        gradients = _outer(da, X), _outer(da, hs[:-1]), db, db.copy(), dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run


def _gru(given):
    T, B, H = given.size.T, given.size.B, given.size.H
    p, X = given.parameters, given.X
    half = np.repeat(np.float32([0.5, 0.5, 1]), H)
    hs = np.zeros((T + 1, B, H), np.float32)
    h = hs[1:]
    gates, inner, da, da_inner = _empty(4, T, B, 3 * H)  # inner: U h' + b_hh
    dh, slope_r, keep = _empty(3, T, B, H)
    slopes_zn = _empty(T, B, 2, H)
    term, dh_next = _empty(2, B, H)
    r, z, n = np.split(gates, 3, axis=2)
    inner_n = inner[..., 2 * H :]
    da_zn = da.reshape(T, B, 3, H)[:, :, 1:]
    dh_2 = dh[:, :, None]
    readout = _Readout(given)
    forward = [
        (hs[t], inner[t], gates[t, :, : 2 * H], inner[t, :, : 2 * H], r[t], z[t], n[t], inner_n[t],
         hs[t + 1])
        for t in range(T)
    ]  # fmt: skip
    backward = [
        (dh[t], dh_2[t], z[t], slopes_zn[t], da_zn[t], slope_r[t], da[t, :, 2 * H :],
         da_inner[t, :, :H], da_inner[t, :, H : 2 * H], da[t, :, H : 2 * H], r[t],
         da_inner[t, :, 2 * H :], da_inner[t])
        for t in range(T - 1, -1, -1)
    ]  # fmt: skip

    def run():
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        subtract, copyto = np.subtract, np.copyto
        U = p["weight_hh"]
        U_T = _by_row(U) * half
        outer_bias, inner_bias = p["bias_ih"] * half, p["bias_hh"] * half
        outer_bias[: 2 * H] += inner_bias[: 2 * H]
        b_n = np.tile(inner_bias[2 * H :], (B, 1))
        dot(X.reshape(T * B, -1), _by_row(p["weight_ih"]) * half, gates.reshape(T * B, -1))
        add(gates, outer_bias, gates)
        for before, inner_t, rz, inner_rz, r_t, z_t, n_t, inner_n_t, h_t in forward:
            dot(before, U_T, inner_t)
            add(rz, inner_rz, rz)
            tanh(rz, rz)
            multiply(rz, 0.5, rz)
            add(rz, 0.5, rz)
            add(inner_n_t, b_n, inner_n_t)
            multiply(r_t, inner_n_t, term)
            add(n_t, term, n_t)
            tanh(n_t, n_t)
            subtract(before, n_t, h_t)
            multiply(h_t, z_t, h_t)
            add(h_t, n_t, h_t)
        loss, dV, db_out = readout(h, dh)
        # h = n + z (h' - n): da_z = dh (h' - n) z(1-z), da_n = dh (1-z) (1-n²), and
        # da_r = da_n (U h' + b_hn) r(1-r).
        slope_z, slope_n = slopes_zn[:, :, 0], slopes_zn[:, :, 1]
        subtract(1, z, keep)
        multiply(n, n, slope_n)
        subtract(1, slope_n, slope_n)
        multiply(slope_n, keep, slope_n)
        subtract(hs[:-1], n, slope_z)
        multiply(slope_z, z, slope_z)
        multiply(slope_z, keep, slope_z)
        subtract(1, r, slope_r)
        multiply(slope_r, r, slope_r)
        multiply(slope_r, inner_n, slope_r)
        dh_next.fill(0)
        for (dh_t, dh_t_2, z_t, slopes_t, da_zn_t, slope_r_t, da_n_t, da_r_t, inner_z_t, da_z_t,
             r_t, inner_n_t, da_inner_t) in backward:  # fmt: skip
            add(dh_t, dh_next, dh_t)
            multiply(dh_t_2, slopes_t, da_zn_t)
            multiply(da_n_t, slope_r_t, da_r_t)
            copyto(inner_z_t, da_z_t)
            multiply(da_n_t, r_t, inner_n_t)
            dot(da_inner_t, U, dh_next)
            multiply(dh_t, z_t, term)
            add(dh_next, term, dh_next)
        copyto(da[..., :H], da_inner[..., :H])
        db_ih, db_hh = _rows_summed(da), _rows_summed(da_inner)
        gradients = _outer(da, X), _outer(da_inner, hs[:-1]), db_ih, db_hh, dV, db_out
        return loss, dict(zip(NAMES, gradients, strict=True))

    return run
