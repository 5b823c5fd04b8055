"""Backward passes as students write them, by hand, in several styles, and what they are for."""

from __future__ import annotations

import numpy as np

import microgrrepresent as mg
from rnn import GRUCell, Linear, LSTMCell, RNNCell, unroll
from rnn.cells.lstm import LSTMState

T, B, I, H, O = 6, 3, 2, 4, 5  # noqa: E741

# --- arrays over time -----------------------------------------------------------------------------

RNN_ARRAYS = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = W_hh.shape[0]
    hs = np.zeros((T + 1, B, H))
    hs[0] = h_0
    for t in range(T):
        hs[t + 1] = np.tanh(X[t] @ W_ih.T + b_ih + hs[t] @ W_hh.T + b_hh)
    scores = hs[1:] @ V.T + b_y
    p = np.exp(scores)
    p /= p.sum(axis=2, keepdims=True)
    loss = 0.0
    for t in range(T):
        for b in range(B):
            loss -= np.log(p[t, b, y[t, b]]) / (T * B)
    dscores = p.copy()
    for t in range(T):
        for b in range(B):
            dscores[t, b, y[t, b]] -= 1
    dscores = dscores / (T * B)
    dV = np.zeros_like(V)
    db_y = np.zeros_like(b_y)
    dW_ih = np.zeros_like(W_ih)
    dW_hh = np.zeros_like(W_hh)
    db = np.zeros_like(b_hh)
    dh_next = np.zeros((B, H))
    for t in reversed(range(T)):
        dV += dscores[t].T @ hs[t + 1]
        db_y += dscores[t].sum(0)
        dh = dscores[t] @ V + dh_next
        draw = (1 - hs[t + 1] * hs[t + 1]) * dh
        db += draw.sum(0)
        dW_ih += draw.T @ X[t]
        dW_hh += draw.T @ hs[t]
        dh_next = draw @ W_hh
    return loss, {"dV": dV, "db_y": db_y, "dW_ih": dW_ih, "dW_hh": dW_hh, "db": db}
"""

GRU_ARRAYS = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = W_hh.shape[1]
    hs = np.zeros((T + 1, B, H))
    rs, zs, ns, us = (np.zeros((T, B, H)) for _ in range(4))
    hs[0] = h_0
    for t in range(T):
        ih = X[t] @ W_ih.T + b_ih
        hh = hs[t] @ W_hh.T + b_hh
        rs[t] = 1 / (1 + np.exp(-(ih[:, :H] + hh[:, :H])))
        zs[t] = 1 / (1 + np.exp(-(ih[:, H:2 * H] + hh[:, H:2 * H])))
        us[t] = hh[:, 2 * H:]
        ns[t] = np.tanh(ih[:, 2 * H:] + rs[t] * us[t])
        hs[t + 1] = (1 - zs[t]) * ns[t] + zs[t] * hs[t]
    scores = hs[1:] @ V.T + b_y
    p = np.exp(scores)
    p /= p.sum(axis=2, keepdims=True)
    onehot = np.eye(len(V))[y]
    loss = -np.sum(np.log(p) * onehot) / (T * B)
    dscores = (p - onehot) / (T * B)
    dV = np.zeros_like(V)
    db_y = np.zeros_like(b_y)
    dW_ih = np.zeros_like(W_ih)
    dW_hh = np.zeros_like(W_hh)
    db_ih = np.zeros_like(b_ih)
    db_hh = np.zeros_like(b_hh)
    dh_next = np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        dV += dscores[t].T @ hs[t + 1]
        db_y += dscores[t].sum(0)
        dh = dscores[t] @ V + dh_next
        dn = dh * (1 - zs[t])
        dz = dh * (hs[t] - ns[t])
        dan = dn * (1 - ns[t] ** 2)
        dr = dan * us[t]
        dar = dr * rs[t] * (1 - rs[t])
        daz = dz * zs[t] * (1 - zs[t])
        dih = np.hstack([dar, daz, dan])
        dhh = np.hstack([dar, daz, dan * rs[t]])
        db_ih += dih.sum(0)
        db_hh += dhh.sum(0)
        dW_ih += dih.T @ X[t]
        dW_hh += dhh.T @ hs[t]
        dh_next = dhh @ W_hh + dh * zs[t]
    return loss, {"V": dV, "b_y": db_y, "W_ih": dW_ih, "W_hh": dW_hh, "b_ih": db_ih,
                  "b_hh": db_hh}
"""

LSTM_ARRAYS = """
def student(X, y, h_0, c_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = W_hh.shape[1]
    hs = np.zeros((T + 1, B, H))
    cs = np.zeros((T + 1, B, H))
    gates = np.zeros((T, B, 4 * H))
    hs[0], cs[0] = h_0, c_0
    for t in range(T):
        a = X[t] @ W_ih.T + hs[t] @ W_hh.T + b_ih + b_hh
        gates[t] = 1 / (1 + np.exp(-a))
        gates[t, :, 2 * H:3 * H] = np.tanh(a[:, 2 * H:3 * H])
        i, f, g, o = np.split(gates[t], 4, axis=1)
        cs[t + 1] = f * cs[t] + i * g
        hs[t + 1] = o * np.tanh(cs[t + 1])
    scores = hs[1:] @ V.T + b_y
    p = np.exp(scores)
    p /= p.sum(axis=2, keepdims=True)
    onehot = np.eye(len(V))[y]
    loss = -np.sum(np.log(p) * onehot) / (T * B)
    dscores = (p - onehot) / (T * B)
    dV = np.zeros_like(V)
    db_y = np.zeros_like(b_y)
    dW_ih = np.zeros_like(W_ih)
    dW_hh = np.zeros_like(W_hh)
    db = np.zeros_like(b_ih)
    dh_next = np.zeros((B, H))
    dc_next = np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        i, f, g, o = np.split(gates[t], 4, axis=1)
        tc = np.tanh(cs[t + 1])
        dV += dscores[t].T @ hs[t + 1]
        db_y += dscores[t].sum(0)
        dh = dscores[t] @ V + dh_next
        do = dh * tc
        dc = dc_next + dh * o * (1 - tc ** 2)
        di = dc * g
        dg = dc * i
        df = dc * cs[t]
        da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g ** 2), do * o * (1 - o)])
        db += da.sum(0)
        dW_ih += da.T @ X[t]
        dW_hh += da.T @ hs[t]
        dh_next = da @ W_hh
        dc_next = dc * f
    return loss, {"V": dV, "b_y": db_y, "W_ih": dW_ih, "W_hh": dW_hh, "b_ih": db, "b_hh": db}
"""

# --- a list of caches, and a function for one step ------------------------------------------------

RNN_CACHES = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    caches, h, loss = [], h_0, 0.0
    for x, target in zip(X, y):
        prev = h
        h = np.tanh(x @ W_ih.T + prev @ W_hh.T + b_ih + b_hh)
        s = h @ V.T + b_y
        q = np.exp(s - s.max(1, keepdims=True))
        q = q / q.sum(1, keepdims=True)
        loss = loss - np.log(q[np.arange(B), target]).sum()
        caches.append((x, prev, h, q, target))
    grads = {k: np.zeros_like(v) for k, v in dict(
        W_ih=W_ih, W_hh=W_hh, b_ih=b_ih, b_hh=b_hh, V=V, b_y=b_y).items()}
    dh = np.zeros_like(h)
    while caches:
        x, prev, h, q, target = caches.pop()
        ds = q.copy()
        ds[np.arange(B), target] -= 1
        ds = ds / (T * B)
        grads["V"] += ds.T @ h
        grads["b_y"] += ds.sum(axis=0)
        dh = dh + ds @ V
        da = dh * (1 - h ** 2)
        grads["W_ih"] += da.T @ x
        grads["W_hh"] += da.T @ prev
        grads["b_ih"] += da.sum(axis=0)
        grads["b_hh"] += da.sum(axis=0)
        dh = da @ W_hh
    return loss / (T * B), grads
"""

LSTM_CACHES = """
def student(X, y, h_0, c_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    def sig(a):
        return 1 / (1 + np.exp(-a))
    caches, h, c, loss = [], h_0, c_0, 0.0
    for x, target in zip(X, y):
        h_prev, c_prev = h, c
        a = x @ W_ih.T + h_prev @ W_hh.T + b_ih + b_hh
        i, f, o = sig(a[:, :H]), sig(a[:, H:2 * H]), sig(a[:, 3 * H:])
        g = np.tanh(a[:, 2 * H:3 * H])
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        s = h @ V.T + b_y
        q = np.exp(s)
        q = q / q.sum(1, keepdims=True)
        loss = loss - np.log(q[np.arange(B), target]).sum() / (T * B)
        caches.append((x, h_prev, c_prev, i, f, g, o, c, h, q, target))
    dV, db_y = np.zeros_like(V), np.zeros_like(b_y)
    dW_ih, dW_hh, db = np.zeros_like(W_ih), np.zeros_like(W_hh), np.zeros_like(b_ih)
    dh = np.zeros_like(h)
    dc = np.zeros_like(c)
    for x, h_prev, c_prev, i, f, g, o, c, h, q, target in reversed(caches):
        ds = q.copy()
        ds[np.arange(B), target] -= 1
        ds = ds / (T * B)
        dV += ds.T @ h
        db_y += ds.sum(axis=0)
        dh = dh + ds @ V
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dai = dc * g * i * (1 - i)
        daf = dc * c_prev * f * (1 - f)
        dag = dc * i * (1 - g ** 2)
        dao = dh * np.tanh(c) * o * (1 - o)
        dW_ih[:H] += dai.T @ x
        dW_ih[H:2 * H] += daf.T @ x
        dW_ih[2 * H:3 * H] += dag.T @ x
        dW_ih[3 * H:] += dao.T @ x
        dW_hh[:H] += dai.T @ h_prev
        dW_hh[H:2 * H] += daf.T @ h_prev
        dW_hh[2 * H:3 * H] += dag.T @ h_prev
        dW_hh[3 * H:] += dao.T @ h_prev
        db[:H] += dai.sum(axis=0)
        db[H:2 * H] += daf.sum(axis=0)
        db[2 * H:3 * H] += dag.sum(axis=0)
        db[3 * H:] += dao.sum(axis=0)
        dh = dai @ W_hh[:H] + daf @ W_hh[H:2 * H] + dag @ W_hh[2 * H:3 * H] + dao @ W_hh[3 * H:]
        dc = dc * f
    return loss, {"V": dV, "b_y": db_y, "W_ih": dW_ih, "W_hh": dW_hh, "b_ih": db, "b_hh": db}
"""

# --- columns for rows, and [h, x] in one matrix ---------------------------------------------------

LSTM_BESIDE = """
def student(X, y, h_0, c_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    W = np.hstack([W_hh, W_ih])
    h, c = {-1: h_0}, {-1: c_0}
    zs, gi, gf, gg, go, p = {}, {}, {}, {}, {}, {}
    loss = 0.0
    for t in range(T):
        zs[t] = np.hstack([h[t - 1], X[t]])
        a = zs[t] @ W.T + b_ih + b_hh
        gi[t] = 1 / (1 + np.exp(-a[:, :H]))
        gf[t] = 1 / (1 + np.exp(-a[:, H:2 * H]))
        gg[t] = np.tanh(a[:, 2 * H:3 * H])
        go[t] = 1 / (1 + np.exp(-a[:, 3 * H:]))
        c[t] = gf[t] * c[t - 1] + gi[t] * gg[t]
        h[t] = go[t] * np.tanh(c[t])
        e = np.exp(h[t] @ V.T + b_y)
        p[t] = e / e.sum(1, keepdims=True)
        loss += -np.log(p[t][range(B), y[t]]).mean() / T
    dW, db = np.zeros_like(W), np.zeros_like(b_ih)
    dV, db_y = np.zeros_like(V), np.zeros_like(b_y)
    dhn, dcn = np.zeros((B, H)), np.zeros((B, H))
    for t in reversed(range(T)):
        dy = p[t].copy()
        dy[range(B), y[t]] -= 1
        dy /= B * T
        dV += dy.T @ h[t]
        db_y += dy.sum(0)
        dh = dy @ V + dhn
        dc = dcn + dh * go[t] * (1 - np.tanh(c[t]) ** 2)
        da = np.hstack([
            dc * gg[t] * gi[t] * (1 - gi[t]),
            dc * c[t - 1] * gf[t] * (1 - gf[t]),
            dc * gi[t] * (1 - gg[t] ** 2),
            dh * np.tanh(c[t]) * go[t] * (1 - go[t]),
        ])
        dW += da.T @ zs[t]
        db += da.sum(0)
        dz = da @ W
        dhn = dz[:, :H]
        dcn = gf[t] * dc
    return loss, {"W": dW, "b": db, "V": dV, "b_y": db_y}
"""

GRU_COLUMNS = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    Wr, Wz, Wn = W_ih.T[:, :H], W_ih.T[:, H:2 * H], W_ih.T[:, 2 * H:]
    Ur, Uz, Un = W_hh.T[:, :H], W_hh.T[:, H:2 * H], W_hh.T[:, 2 * H:]
    br, bz = b_ih[:H] + b_hh[:H], b_ih[H:2 * H] + b_hh[H:2 * H]
    bn, cn = b_ih[2 * H:], b_hh[2 * H:]
    steps, h, loss = [], h_0, 0.0
    for t in range(T):
        r = 1 / (1 + np.exp(-(X[t] @ Wr + h @ Ur + br)))
        z = 1 / (1 + np.exp(-(X[t] @ Wz + h @ Uz + bz)))
        m = h @ Un + cn
        n = np.tanh(X[t] @ Wn + bn + r * m)
        new = (1 - z) * n + z * h
        e = np.exp(new @ V.T + b_y)
        q = e / e.sum(1, keepdims=True)
        loss += -np.log(q[np.arange(B), y[t]]).sum() / (B * T)
        steps.append((h, r, z, m, n, new, q))
        h = new
    dWr, dWz, dWn = np.zeros_like(Wr), np.zeros_like(Wz), np.zeros_like(Wn)
    dUr, dUz, dUn = np.zeros_like(Ur), np.zeros_like(Uz), np.zeros_like(Un)
    dbr, dbz, dbn, dcn = np.zeros(H), np.zeros(H), np.zeros(H), np.zeros(H)
    dV, db_y = np.zeros_like(V), np.zeros_like(b_y)
    dh = np.zeros_like(h)
    for t in reversed(range(T)):
        prev, r, z, m, n, new, q = steps[t]
        s = (q - np.eye(len(V))[y[t]]) / (B * T)
        dV += s.T @ new
        db_y += s.sum(axis=0)
        dh = dh + s @ V
        an = dh * (1 - z) * (1 - n * n)
        az = dh * (prev - n) * z * (1 - z)
        ar = an * m * r * (1 - r)
        dWr += X[t].T @ ar
        dWz += X[t].T @ az
        dWn += X[t].T @ an
        dUr += prev.T @ ar
        dUz += prev.T @ az
        dUn += prev.T @ (an * r)
        dbr += ar.sum(axis=0)
        dbz += az.sum(axis=0)
        dbn += an.sum(axis=0)
        dcn += (an * r).sum(axis=0)
        dh = dh * z + ar @ Ur.T + az @ Uz.T + (an * r) @ Un.T
    return loss, {
        "W_ih": np.hstack([dWr, dWz, dWn]), "W_hh": np.hstack([dUr, dUz, dUn]),
        "b_ih": np.hstack([dbr, dbz, dbn]), "b_hh": np.hstack([dbr, dbz, dcn]),
        "V": dV.T, "b_y": db_y}
"""

RNN_BESIDE = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    W = np.hstack([W_hh, W_ih])
    h, z, p = {-1: h_0}, {}, {}
    loss = 0.0
    for t in range(T):
        z[t] = np.hstack([h[t - 1], X[t]])
        h[t] = np.tanh(z[t] @ W.T + b_ih + b_hh)
        e = np.exp(h[t] @ V.T + b_y)
        p[t] = e / e.sum(1, keepdims=True)
        loss += -np.log(p[t][np.arange(B), y[t]]).sum() / (T * B)
    dW, db = np.zeros_like(W), np.zeros(H)
    dV, db_y = np.zeros_like(V), np.zeros_like(b_y)
    dhn = np.zeros_like(h_0)
    for t in range(T)[::-1]:
        s = (p[t] - np.eye(len(V))[y[t]]) / (T * B)
        dV += s.T @ h[t]
        db_y += s.sum(axis=0)
        dh = s @ V + dhn
        draw = dh - dh * h[t] ** 2
        dW += draw.T @ z[t]
        db += np.sum(draw, axis=0)
        dz = draw @ W
        dhn = dz[:, :H]
    return loss, {"W": dW, "b": db, "V": dV, "b_y": db_y}
"""

GRU_CACHES = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    def sig(a):
        return 1 / (1 + np.exp(-a))
    caches, h, loss = [], h_0, 0.0
    for x, target in zip(X, y):
        prev = h
        gx, gh = x @ W_ih.T + b_ih, prev @ W_hh.T + b_hh
        r, z = sig(gx[:, :H] + gh[:, :H]), sig(gx[:, H:2 * H] + gh[:, H:2 * H])
        m = gh[:, 2 * H:]
        n = np.tanh(gx[:, 2 * H:] + r * m)
        h = n + z * (prev - n)
        e = np.exp(h @ V.T + b_y)
        q = e / e.sum(1, keepdims=True)
        loss = loss - np.log(q[np.arange(B), target]).sum() / (T * B)
        caches.append((x, prev, r, z, m, n, h, q, target))
    grads = {k: np.zeros_like(v) for k, v in dict(
        W_ih=W_ih, W_hh=W_hh, b_ih=b_ih, b_hh=b_hh, V=V, b_y=b_y).items()}
    dh = np.zeros_like(h)
    for x, prev, r, z, m, n, h, q, target in reversed(caches):
        ds = q.copy()
        ds[np.arange(B), target] -= 1
        ds = ds / (T * B)
        grads["V"] += ds.T @ h
        grads["b_y"] += ds.sum(axis=0)
        dh = dh + ds @ V
        dn = dh - dh * z
        dz = dh * (prev - n)
        an = dn * (1 - n ** 2)
        az = dz * z * (1 - z)
        ar = an * m * r * (1 - r)
        dgx = np.concatenate([ar, az, an], axis=1)
        dgh = np.concatenate([ar, az, an * r], axis=1)
        grads["W_ih"] += dgx.T @ x
        grads["W_hh"] += dgh.T @ prev
        grads["b_ih"] += dgx.sum(axis=0)
        grads["b_hh"] += dgh.sum(axis=0)
        dh = dgh @ W_hh + dh * z
    return loss, grads
"""

GRU_BESIDE = """
def student(X, y, h_0, W_ih, W_hh, b_ih, b_hh, V, b_y):
    T, B = y.shape
    H = h_0.shape[1]
    W = np.hstack([W_hh, W_ih])[:2 * H]
    U, cn = W_hh[2 * H:], b_hh[2 * H:]
    v = np.zeros((T, B, W.shape[1]))
    hs = np.zeros((T + 1, B, H))
    g, ns, us = np.zeros((T, B, 2 * H)), np.zeros((T, B, H)), np.zeros((T, B, H))
    p = np.zeros((T, B, len(V)))
    hs[0] = h_0
    loss = 0.0
    for t in range(T):
        v[t] = np.hstack([hs[t], X[t]])
        g[t] = 1 / (1 + np.exp(-(v[t] @ W.T + (b_ih + b_hh)[:2 * H])))
        us[t] = hs[t] @ U.T + cn
        ns[t] = np.tanh(X[t] @ W_ih[2 * H:].T + b_ih[2 * H:] + g[t][:, :H] * us[t])
        hs[t + 1] = ns[t] + g[t][:, H:] * (hs[t] - ns[t])
        e = np.exp(hs[t + 1] @ V.T + b_y)
        p[t] = e / e.sum(1, keepdims=True)
        loss += -np.log(p[t][np.arange(B), y[t]]).mean() / T
    dW_ih, dW_hh = np.zeros_like(W_ih), np.zeros_like(W_hh)
    db_ih, db_hh = np.zeros_like(b_ih), np.zeros_like(b_hh)
    dV, db_y = np.zeros_like(V), np.zeros_like(b_y)
    dhn = np.zeros_like(h_0)
    for t in range(T - 1, -1, -1):
        r, z, n = g[t][:, :H], g[t][:, H:], ns[t]
        s = (p[t] - np.eye(len(V))[y[t]]) / (T * B)
        dV += s.T @ hs[t + 1]
        db_y += s.sum(axis=0)
        dh = s @ V + dhn
        an = dh * (1 - z) * (1 - n ** 2)
        az = dh * (hs[t] - n) * z * (1 - z)
        ar = an * us[t] * r * (1 - r)
        a = np.hstack([ar, az])
        db_ih += np.hstack([a, an]).sum(axis=0)
        db_hh += np.hstack([a, an * r]).sum(axis=0)
        dW_ih += np.hstack([a, an]).T @ X[t]
        dW_hh += np.hstack([a, an * r]).T @ hs[t]
        dv = a @ W
        dhn = dv[:, :H] + dh * z + (an * r) @ U
    return loss, {"W": np.hstack([dW_hh, dW_ih]), "b_ih": db_ih, "b_hh": db_hh, "V": dV,
                  "b_y": db_y}
"""

SOLUTIONS = {
    "rnn, arrays": RNN_ARRAYS,
    "rnn, caches": RNN_CACHES,
    "rnn, [h, x]": RNN_BESIDE,
    "gru, arrays": GRU_ARRAYS,
    "gru, caches": GRU_CACHES,
    "gru, [h, x]": GRU_BESIDE,
    "gru, columns": GRU_COLUMNS,
    "lstm, arrays": LSTM_ARRAYS,
    "lstm, caches": LSTM_CACHES,
    "lstm, [h, x]": LSTM_BESIDE,
}

CELLS = {"rnn": RNNCell, "gru": GRUCell, "lstm": LSTMCell}


def task(cell, dtype=np.float64):
    """What the students were set: a loss, its parameters by name, and data."""
    rng = np.random.default_rng(5)
    made = CELLS[cell](I, H, dtype=dtype, rng=rng)
    out = Linear(H, O, dtype=dtype, rng=rng)
    names = ["W_ih", "W_hh", "b_ih", "b_hh"]
    wrt = dict(zip(names, made.parameters(), strict=True)) | {"V": out.weight, "b_y": out.bias}
    X = rng.normal(size=(T, B, I)).astype(dtype)
    data = {"X": X, "y": rng.integers(0, O, (T, B))}
    data |= {
        n: rng.normal(size=(B, H)).astype(dtype) for n in ["h_0", "c_0"][: 1 + (cell == "lstm")]
    }

    def f(X, y, h_0, c_0=None):
        state = h_0 if c_0 is None else LSTMState(h_0, c_0)
        return mg.cross_entropy(out(mg.stack(unroll(made, X, state).outputs)), y)

    return f, wrt, data
