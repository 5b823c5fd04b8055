"""Answers to the exercises of the course, right ones and wrong ones, by notebook and exercise."""

RIGHT = {
    "1.1": ["de_da, de_db = 4, np.array(6.0)", "de_db = 6\nde_da = 4"],
    "1.2": ["return (np.exp(x) + y) * g", "return g * exp(x) + g * y"],
    "1.3": [
        """
        du = 2 * (y - target) * (y - y**2)
        return (y - target) ** 2, {"dw": x * du, "db": du}
        """
    ],
    "1.4": ["return np.array([a + 2 * lam * b for a, b in zip(x, w)])"],
    "1.5": [
        """
        if operation == "add":
            return p_dot + q_dot
        return q * p_dot + q_dot * p
        """
    ],
    "2.1": ["number_of_terms, derivative = 4.0, np.float64(12)"],
    "2.2": ["return (x + a * (h - x)).named('h')", "return a * h + (1 - a) * x"],
    "2.3": ["h = np.tanh(np.hstack([W, U]) @ np.hstack([x, h]) + b)"],
    "2.5": ["w, u, b = 30, 40, -15"],
    "3.1": [
        "terms = {3: 2.75, 2: 0.75, 1: 0.25}",
        "terms = np.array([1 / 4, 3 / 4, 11 / 4])",
        "terms = 0.25, 0.75, 2.75",
    ],
    "3.2": [
        """
        dz = 2 * h[-1] * (1 - h[-1] ** 2)
        for t in reversed(range(1, len(h))):
            dW = dW + np.einsum("bi,bj->ij", dz, X[t - 1])
            dU = dU + np.einsum("bi,bj->ij", dz, h[t - 1])
            dz = dz @ U * (1 - h[t - 1] ** 2)
        return (h[-1] ** 2).sum(), {"dU": dU, "dW": dW}
        """
    ],
    "3.3": [
        "delta[k] = np.diag(1 - h[k] ** 2) @ U.T @ delta[k + 1]",
        "delta[k] = delta[k + 1] @ U * (1 - h[k] * h[k])",
    ],
    "3.4": [
        """
        at = np.zeros_like(U)
        at[i, j] = size
        return (loss(U + at) - loss(U - at)) / 2 / size
        """
    ],
    "3.5": [
        "pairs_left = 9.0",
        "pairs_left = sum(1 for t in range(6) for k in range(t + 1) if t // 2 == k // 2)",
    ],
    "8.1": [
        """
        powers = w ** np.arange(len(X) - 1, -1, -1)
        dw = np.sum(powers[:, None] * np.array(h[:-1]) * h[-1])
        return 0.5 * h[-1] @ h[-1], {"w": dw}
        """
    ],
    "8.2": [
        """
        da = 2 * h[-1] * h[-1] * (1 - h[-1])
        for t in range(len(X), 0, -1):
            dW, dU, db = dW + da.T @ X[t - 1], dU + da.T @ h[t - 1], db + np.ones(len(da)) @ da
            da = da @ U * h[t - 1] * (1 - h[t - 1])
        return np.sum(h[-1] ** 2), {"dW": dW, "dU": dU, "db": db}
        """
    ],
    "8.3": [
        """
        dh = np.zeros_like(h[0])
        for t in range(len(X), 0, -1):
            dh += 2 * h[t]
            da = dh * (1 - h[t] ** 2)
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            dh = da @ U
        return np.sum(np.square(h)), {"W": dW, "U": dU}
        """
    ],
    "2.4": ["theirs.weight_ih, theirs.weight_hh = U.copy(), W.copy()"],
    "4.1": ["number = 21", "number = 21.0"],
    "4.2": ["kept = -np.eye(8)", "kept = np.eye(8)[::-1].tolist()", "kept = Q"],
    "4.3": [
        """
        norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
        return [g / max(1, norm / threshold) for g in gradients]
        """
    ],
    "4.4": ["border = 4"],
    "4.5": ["return np.diag(1 - h**2) @ U"],
    "5.1": ["forget_bias = -np.log(2 ** (1 / 200) - 1)"],
    "5.2": [
        """
        z = sigmoid(x @ W_z.T + h @ U_z.T)
        n = tanh(x @ W_n.T + h @ U_n.T)
        return n + z * (h - n)
        """
    ],
    "5.3": ["bias[:6] = [-50] * 3 + [50] * 3"],
    "5.4": ["return gates * H * (I + H + 2)"],
    "5.5": [
        """
        f, dc = 1 / (1 + np.exp(-a)), 2 * c[-1]
        df = sum(dc * f ** (len(X) - t) * c[t - 1] for t in range(1, len(X) + 1)).sum(axis=0)
        return np.sum(c[-1] ** 2), {"a": df * f * (1 - f)}
        """
    ],
    "6.1": ["inputs = (1, 2, 3)", "inputs = {3, 2, 1}", "inputs = range(1, 4)"],
    "6.2": ["return unroll(upper, unroll(lower, xs).outputs).state"],
    "6.3": [
        """
        there = unroll(forward, xs).outputs
        back = unroll(backward, xs[::-1]).outputs[::-1]
        return concatenate([there[t - 1], back[t - 1]])
        """
    ],
    "6.4": ["return tanh(concatenate([over(part, W) for part in tree]) @ W.T)"],
    "6.5": [
        """
        m = np.zeros_like(h)
        for u, v in edges:
            m[v] += h[u]
        return m
        """
    ],
    "7.1": ["answer = 4 ** 0.5"],
    "7.2": [
        """
            p = np.exp(scores.numpy()[0])
            total += np.log(p[letter] / p.sum())
            token = letter
        """
    ],
    "7.3": [
        """
        p = np.exp((scores - scores.max()) / temperature)
        return list(p / sum(p))
        """
    ],
    "7.4": ["return S.T @ softmax(S @ q)"],
    "7.5": ["reads, says = tuple(sentence[:4]), tuple(sentence[1:])"],
}

WRONG = {
    "1.1": [
        "de_da, de_db = 4, 8",
        "de_da, de_db = 2, 6",
        "de_da, de_db = '4', 6",
        "de_da = de_db = None",
        "de_da, de_db = [4], 6",
        "de_da = de_db = {4, 6}",
    ],
    "1.2": [
        "return g * x * exp(x)",
        "return (1 + x) * exp(x)",
        "return g * exp(x)",
        "return g",
        "g * (1 + x) * exp(x)",
        "return 3.0",
        "return (g * (1 + x) * exp(x)).sum()",
    ],
    "1.3": [
        """
        du = 2 * (y - target)
        return (y - target) ** 2, {"w": du * x, "b": du}
        """,
        """
        du = 2 * (y - target) * y * (1 - y)
        return (y - target) ** 2, {"w": du * w, "b": du}
        """,
        """
        du = 2 * (y - target) * y * (1 - y)
        return (y - target) ** 2, {"w": du * x, "b": 1.0}
        """,
    ],
    "1.4": [
        "return x + lam * w",
        "return x + 0.2 * w",
        "return 2 * lam * w",
        "x + 2 * lam * w",
        "return 'w'",
        "return sum(x + 2 * lam * w)",
        "return [1, 2]",
    ],
    "1.5": [
        "p_dot + q_dot",
        "return p_dot + q_dot",
        "return p_dot * q + p * q_dot",
        "return p_dot + q_dot if operation == 'add' else p_dot * q_dot",
        "return p_dot + q_dot if operation == 'add' else p_dot * p + q * q_dot",
        "return p_dot + q_dot if operation == 'add' else p_dot * q",
    ],
    "2.1": [
        "number_of_terms, derivative = 5, 12",
        "number_of_terms, derivative = 4, 3",
        "number_of_terms, derivative = '4', 12",
        "number_of_terms, derivative = 4, None",
    ],
    "2.2": [
        "return (a * x + (1 - a) * h).named('h')",
        "return (0.9 * h + 0.1 * x).named('h')",
        "a * h + (1 - a) * x",
        "return h",
        "return x",
        "return (a * h + x).named('h')",
        "return (a * h).sum()",
    ],
    "2.3": [
        "pass",
        "h = np.tanh(W @ x + U @ h)",
        "h = W @ x + U @ h + b",
        "h = np.tanh(W @ x + U.T @ h + b)",
    ],
    "2.4": ["theirs.weight_ih, theirs.weight_hh = W, U", "theirs.weight_ih = U", "pass"],
    "2.5": ["w, u, b = 1.0, 1.0, 0.0", "w, u, b = 20.0, 0.0, -10.0"],
    "3.1": [
        "terms = [0.25, 0.25, 0.25]",
        "terms = [2.75, 0.75, 0.25]",
        "terms = 0.75",
        "terms = {1: 2.75, 2: 0.75, 3: 0.25}",
        "terms = {3: 2.75}",
        "terms = None",
        "terms = ['a', 'b', 'c']",
        "terms = [0.25, 0.75]",
        "terms = [0.25, [1], 2.75]",
    ],
    "3.2": [
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            dz = dh * (1 - h[t] ** 2)
            dW += dz.T @ X[t - 1]
            dU += dz.T @ h[t]
            dh = dz @ U
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU}
        """,
        """
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU}
        """,
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            dz = dh * (1 - h[t] ** 2)
            dW += dz.T @ X[t - 1]
            dU += dz.T @ h[t - 1]
            dh = dz @ U.T
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU}
        """,
    ],
    "3.3": [
        "pass",
        "delta[k] = (1 - h[k] ** 2) * (U @ delta[k + 1])",
        "delta[k] = U.T @ delta[k + 1]",
        "delta[k] = [[9, 9], [9, 9]]",
        "delta[k] = np.diag(1 - h[k] ** 2) * (U.T @ delta[k + 1])",
        "delta[k] = np.array([9, 9]) if k == 1 else (1 - h[k] ** 2) * (U.T @ delta[k + 1])",
        "delta[k] = (1 - h[k + 1] ** 2) * (U.T @ delta[k + 1])",
        "delta[k] = None",
        "delta[k] = 'ab'",
    ],
    "3.4": [
        """
        more[i, j] += size
        return (loss(more) - loss(U)) / size
        """,
        """
        more[i, j] += size
        less[i, j] -= size
        return (loss(more) - loss(less)) / size
        """,
        """
        more[j, i] += size
        less[j, i] -= size
        return (loss(more) - loss(less)) / (2 * size)
        """,
        "pass",
        "return 'U'",
        "return U",
        "return 0.0",
    ],
    "3.5": ["pairs_left = 21", "pairs_left = 6", "pairs_left = '9'", "pairs_left = None"],
    "8.1": [
        """
        dh = h[-1]
        for t in range(len(X), 0, -1):
            dw += np.sum(dh * h[t])
            dh = dh * w
        return 0.5 * np.sum(h[-1] ** 2), {"w": dw}
        """,
        """
        dw = np.sum(h[-1] * h[-2])
        return 0.5 * np.sum(h[-1] ** 2), {"w": dw}
        """,
        """
        return 0.5 * np.sum(h[-1] ** 2), {"w": dw}
        """,
    ],
    "8.2": [
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            da = dh * (1 - h[t] ** 2)
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            db += da.sum(axis=0)
            dh = da @ U
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU, "b": db}
        """,
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            da = dh * h[t] * (1 - h[t])
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            db = da.sum(axis=0)
            dh = da @ U
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU, "b": db}
        """,
    ],
    "8.3": [
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            da = dh * (1 - h[t] ** 2)
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            dh = da @ U
        return sum(np.sum(state**2) for state in h[1:]), {"W": dW, "U": dU}
        """,
        """
        dh_next = 2 * h[-1]
        for t in range(len(X), 0, -1):
            da = (dh_next + 2 * h[t]) * (1 - h[t] ** 2)
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            dh_next = da @ U
        return sum(np.sum(state**2) for state in h[1:]), {"W": dW, "U": dU}
        """,
    ],
    "8.4": [
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            dW += (dh * h[t - 1] * z[t] * (1 - z[t])).T @ X[t - 1]
            dV += (dh * (1 - z[t]) * (1 - n[t] ** 2)).T @ X[t - 1]
            dh = dh * z[t]
        return np.sum(h[-1] ** 2), {"W": dW, "V": dV}
        """,
        """
        dh = 2 * h[-1]
        for t in range(len(X), 0, -1):
            dW += (dh * (h[t - 1] - n[t]) * z[t] * (1 - z[t])).T @ X[t - 1]
            dV += (dh * (1 - z[t]) * (1 - n[t] ** 2)).T @ X[t - 1]
        return np.sum(h[-1] ** 2), {"W": dW, "V": dV}
        """,
    ],
    "8.5": [
        """
        dh, dc = 2 * h[-1], 0
        for t in range(T, 0, -1):
            i, f, g, o = kept[t]
            dc = dh * o * (1 - np.tanh(c[t]) ** 2)
            da = np.hstack([dc * g * i * (1 - i), dc * c[t - 1] * f * (1 - f), dc * i * (1 - g**2),
                            dh * np.tanh(c[t]) * o * (1 - o)])
            dW += da.T @ X[t - 1]
            dU += da.T @ h[t - 1]
            dh = da @ U
        return np.sum(h[-1] ** 2), {"W": dW, "U": dU}
        """
    ],
    "4.1": ["number = 20", "number = 22", "number = np.log(0.01) / np.log(0.8)", "number = '21'"],
    "4.2": [
        "kept = np.eye(8)",
        "kept = 0.9 * Q",
        "kept = np.zeros((8, 8))",
        "kept = np.eye(7)",
        "kept = 1",
    ],
    "4.3": [
        """
        return [g * min(1, threshold / np.linalg.norm(g)) for g in gradients]
        """,
        """
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        return [g * threshold / norm for g in gradients]
        """,
        "return gradients",
        "pass",
        "return [g.clip(-threshold, threshold) for g in gradients]",
    ],
    "4.4": ["border = 1.0", "border = 0.25", "border = '4'", "border = -4.0"],
    "4.5": [
        "return U",
        "return np.diag(1 - h**2)",
        "return (1 - h**2) * U",
        "pass",
        "return U.T * (1 - h**2)",
    ],
    "5.1": ["forget_bias = 5.0", "forget_bias = 0.5 ** (1 / 200)", "forget_bias = None"],
    "5.2": [
        """
        z = sigmoid(linear(x, W_z) + linear(h, U_z))
        n = tanh(linear(x, W_n) + linear(h, U_n))
        return (1 - z) * h + z * n
        """,
        "pass",
        "return h",
    ],
    "5.3": ["bias[3:6] = 40.0", "bias[0:3] = -40.0", "bias[0:3], bias[3:6] = 40.0, -40.0"],
    "5.4": ["return gates * (H * I + H * H + H)", "return gates * H", "pass"],
    "5.5": [
        """
        dc = 2 * c[-1]
        for t in range(len(X), 0, -1):
            da += np.sum(dc * c[t], axis=0) * f * (1 - f)
            dc = dc * f
        return np.sum(c[-1] ** 2), {"a": da}
        """,
        """
        dc = 2 * c[-1]
        for t in range(len(X), 0, -1):
            da += np.sum(dc * c[t - 1], axis=0)
            dc = dc * f
        return np.sum(c[-1] ** 2), {"a": da}
        """,
    ],
    "6.1": ["inputs = [1, 2, 3, 4, 5]", "inputs = [3]", "inputs = 3", "inputs = None"],
    "6.2": [
        "return unroll(upper, unroll(lower, xs).outputs)",
        "return unroll(lower, xs).state",
        "pass",
    ],
    "6.3": [
        """
        there, back = unroll(forward, xs), unroll(backward, xs, reverse=True)
        return concatenate([there.outputs[t - 1], back.outputs[-t]])
        """,
        """
        there, back = unroll(forward, xs), unroll(backward, xs)
        return concatenate([there.outputs[t - 1], back.outputs[t - 1]])
        """,
        "pass",
        "return unroll(forward, xs).outputs[t - 1]",
    ],
    "6.4": [
        """
        left, right = tree
        return tanh(W @ concatenate([over(right, W), over(left, W)]))
        """,
        """
        left, right = tree
        return W @ concatenate([over(left, W), over(right, W)])
        """,
        "pass",
    ],
    "6.5": [
        """
        for u, v in edges:
            A[u, v] = 1
        return A @ h
        """,
        "return A @ h",
        "pass",
        "return h",
    ],
    "7.1": ["answer = 4.0", "answer = 1.6", "answer = '2'"],
    "7.2": [
        """
            total += softmax(scores).numpy()[0, letter]
            token = letter
        """,
        """
            total += np.log(softmax(scores).numpy()[0, letter])
        """,
        """
            total += scores.numpy()[0, letter]
            token = letter
        """,
    ],
    "7.3": [
        """
        p = np.exp(scores * temperature)
        return p / p.sum()
        """,
        """
        return np.exp(scores / temperature)
        """,
        "pass",
        "return 1.0",
    ],
    "7.4": ["return S", "return softmax(S @ q)", "return (S @ q) @ S", "pass"],
    "7.5": [
        "reads = says = sentence",
        "reads, says = sentence[1:], sentence[:-1]",
        "reads = says = []",
    ],
}
