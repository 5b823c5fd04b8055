"""Recurrent programs, written by hand from the engine's operations, for the tests of folding.

A program takes inputs of shape (T, 3) and gives a scalar; its parameters are drawn from one seed,
so that the same program run on more inputs is the same network.
"""

import numpy as np

from microgrrepresent import (
    Tensor,
    concatenate,
    scope,
    sigmoid,
    split,
    stack,
    step,
    steps,
    stop_gradient,
    tanh,
)

I, H = 3, 4  # noqa: E741 (the notes' letters for the sizes of input and state)


class Parameters(dict):
    """Parameters by name, made when they are first asked for."""

    def __init__(self):
        self.rng = np.random.default_rng(7)

    def __call__(self, name, *shape):
        if name not in self:
            self[name] = Tensor(self.rng.normal(size=shape) / 2, requires_grad=True, name=name)
        return self[name]


def rnn(x, h, p, tag=""):
    return tanh(x @ p("U" + tag, x.shape[-1], H) + h @ p("W" + tag, H, H) + p("b" + tag, H))


def gru(x, h, p):
    r = sigmoid(x @ p("U_r", I, H) + h @ p("W_r", H, H)).named("r")
    z = sigmoid(x @ p("U_z", I, H) + h @ p("W_z", H, H)).named("z")
    n = tanh(x @ p("U_n", I, H) + (r * h) @ p("W_n", H, H)).named("n")
    return ((1 - z) * n + z * h).named("h")


def lstm(x, state, p):
    h, c = state
    gates = {}
    for gate, f in zip("ifgo", (sigmoid, sigmoid, tanh, sigmoid), strict=True):
        gates[gate] = f(x @ p("U_" + gate, I, H) + h @ p("W_" + gate, H, H) + p("b_" + gate, H))
    i, f, g, o = gates.values()
    c = f * c + i * g
    return o * tanh(c), c


def fused_lstm(x, state, p):
    h, c = state
    i, f, g, o = split(x @ p("U", I, 4 * H) + h @ p("W", H, 4 * H), 4)
    c = (sigmoid(f) * c + sigmoid(i) * tanh(g)).named("c")
    return (sigmoid(o) * tanh(c)).named("h"), c


def zero(name="h_0"):
    return Tensor(np.zeros(H), name=name)


def plain(X, p):
    h = zero()
    for _, x in steps(X):
        with scope("rnn"):
            h = rnn(x.named("x"), h, p).named("h")
    return (h * h).sum()


def unnamed_unscoped(X, p):
    h = Tensor(np.zeros(H))
    for _, x in steps(X):
        h = rnn(x, h, p)
    return h.sum()


def gated(X, p):
    h = zero()
    for _, x in steps(X):
        with scope("gru"):
            h = gru(x, h, p)
    return h.sum()


def long_short(X, p):
    state = zero("h"), zero("c")
    for _, x in steps(X):
        with scope("lstm"):
            state = lstm(x, state, p)
    return (state[0] * state[0]).sum()


def long_short_fused(X, p):
    state = zero("h"), zero("c")
    for _, x in steps(X):
        with scope("lstm"):
            state = fused_lstm(x, state, p)
    return state[0].sum()


def loss_on_memory(X, p):
    """At the last step, h and its gate are not in the graph."""
    state = zero("h"), zero("c")
    for _, x in steps(X):
        with scope("lstm"):
            state = fused_lstm(x, state, p)
    return state[1].sum()


def loss_at_each_step(X, p):
    """The sum begins with the number 0, in the loop."""
    h, total = zero(), 0
    for _, x in steps(X):
        with scope("rnn"):
            h = rnn(x, h, p).named("h")
        y = (h @ p("V", H, I)).named("y")
        total = total + ((y - x) ** 2).sum().named("L")
    return total


def loss_at_the_last_step(X, p):
    """Every step has an output, and only the last one is in the graph."""
    h = zero()
    for _, x in steps(X):
        with scope("rnn"):
            h = rnn(x, h, p).named("h")
        y = tanh(h @ p("V", H, I)).named("y")
    return (y * y).sum()


def stacked_outputs(X, p):
    h, ys = zero(), []
    for _, x in steps(X):
        with scope("rnn"):
            h = rnn(x, h, p).named("h")
        ys.append(h)
    return (stack(ys) @ p("V", H, 2)).sum()


def inputs_as_leaves(X, p):
    """Inputs that were made before the loop and know no step."""
    xs = [Tensor(x.numpy(), name="x") for x in X]
    h = zero()
    for _, x in steps(xs):
        h = rnn(x, h, p).named("h")
    return h.sum()


def inputs_with_numbers(X, p):
    xs = [Tensor(x.numpy(), name=f"x{i}") for i, x in enumerate(X, start=1)]
    h = zero()
    for _, x in steps(xs):
        h = rnn(x, h, p).named("h")
    return h.sum()


def inputs_made_inside(X, p):
    h = zero()
    for _, x in steps(X.numpy()):
        h = rnn(Tensor(x, name="x"), h, p).named("h")
    return h.sum()


def inputs_projected_before(X, p):
    """The product with the inputs is taken for each step, but outside of it."""
    xs = [x @ p("E", I, I) for x in X]
    h = zero()
    for _, x in steps(xs):
        h = rnn(x, h, p).named("h")
    return h.sum()


def time_second(X, p):
    """Time is the second axis of the inputs."""
    X = Tensor(np.stack([X.numpy()] * 2, axis=1).swapaxes(0, 1), name="X")
    h = Tensor(np.zeros((2, H)), name="h_0")
    for t in range(1, X.shape[1] + 1):
        with step(t):
            h = rnn(X[:, t - 1], h, p).named("h")
    return h.sum()


def learned_start(X, p):
    h = p("h_0", H)
    for _, x in steps(X):
        h = rnn(x, h, p).named("h")
    return h.sum()


def start_made_at_step_0(X, p):
    with step(0), scope("rnn"):
        h = tanh(p("s", H)).named("h")
    for _, x in steps(X):
        with scope("rnn"):
            h = rnn(x, h, p).named("h")
    return h.sum()


def product_turned(X, p):
    """The recurrent product has the matrix on the left."""
    h = zero()
    for _, x in steps(X):
        h = tanh(p("W", H, H) @ h + p("U", H, I) @ x).named("h")
    return h.sum()


def residual(X, p):
    h = zero()
    for _, x in steps(X):
        h = (h + 0.5 * rnn(x, h, p)).named("h")
    return h.sum()


def linear_system(X, p):
    """The notes' unrolled dynamical system: one operation a step and no input."""
    s, theta = Tensor(2.0, name="s_0"), p("θ")
    for _ in steps(X.numpy()):
        s = (theta * s).named("s")
    return s


def two_delays(X, p):
    """Reads the last two states, as a NARX model does."""
    h = [zero("h_-1"), zero("h_0")]
    for _, x in steps(X):
        h.append(tanh(x @ p("U", I, H) + h[-1] @ p("W", H, H) + h[-2] @ p("W2", H, H)).named("h"))
    return h[-1].sum()


def stacked_layers(X, p):
    h1, h2 = zero("h"), zero("h")
    for _, x in steps(X):
        with scope("layer1"):
            h1 = rnn(x, h1, p, "1").named("h")
        with scope("layer2"):
            h2 = rnn(h1, h2, p, "2").named("h")
    return h2.sum()


def layer_after_layer(X, p):
    """A loop over all steps for each layer."""
    outputs = list(X)
    for layer in "12":
        with scope("layer" + layer):
            h, inputs, outputs = zero("h"), outputs, []
            for _, x in steps(inputs):
                h = rnn(x, h, p, layer).named("h")
                outputs.append(h)
    return outputs[-1].sum()


def bidirectional(X, p):
    there, back = {}, {}
    with scope("forward"):
        h = zero()
        for t, x in steps(X):
            there[t] = h = rnn(x, h, p, "f").named("h")
    with scope("backward"):
        h = zero()
        for t, x in steps(X, reverse=True):
            back[t] = h = rnn(x, h, p, "b").named("h")
    total = 0
    for t, _ in steps(X.numpy()):
        y = (concatenate([there[t], back[t]]) @ p("V", 2 * H, 2)).named("y")
        total = total + (y * y).sum()
    return total


def bidirectional_ends(X, p):
    """The last state of each direction, that of the backward one at t = 1."""
    ends = []
    for tag, reverse in (("f", False), ("b", True)):
        with scope(tag):
            h = zero()
            for _, x in steps(X, reverse=reverse):
                h = rnn(x, h, p, tag).named("h")
        ends.append(h)
    return concatenate(ends).sum()


def two_bidirectional_layers(X, p):
    outputs = list(X)
    for layer in "12":
        states = {}
        for tag, reverse in (("f", False), ("b", True)):
            with scope(f"layer{layer}/{tag}"):
                h = zero()
                for t, x in steps(outputs, reverse=reverse):
                    states[tag, t] = h = rnn(x, h, p, layer + tag).named("h")
        outputs = []
        for t, _ in steps(X.numpy()):
            outputs.append(concatenate([states["f", t], states["b", t]]).named("y"))
    return stack(outputs).sum()


def cached_transpose(X, p):
    """The first step makes what all steps use."""
    h, turned = zero(), None
    for _, x in steps(X):
        turned = p("W", H, H).T if turned is None else turned
        h = tanh(h @ turned + x @ p("U", I, H)).named("h")
    return h.sum()


def teacher_forcing(X, p):
    """The target of a step is the input of the next."""
    targets = [Tensor(x.numpy(), name="y") for x in X]
    before, h, total = Tensor(np.zeros(I), name="start"), zero(), Tensor(0.0, name="L_0")
    for _, y in steps(targets):
        h = rnn(before, h, p).named("h")
        total = (total + ((h @ p("V", H, I) - y) ** 2).sum()).named("L")
        before = y
    return total


def untied(X, p):
    """Another matrix at each step."""
    h = zero()
    for t, x in steps(X):
        w = Tensor(np.eye(H) / t, requires_grad=True, name="W")
        h = tanh(h @ w + x @ p("U", I, H)).named("h")
    return h.sum()


def masked(X, p):
    """Padding: some steps keep the state."""
    from microgrrepresent import where

    h = zero()
    for t, x in steps(X):
        keep = Tensor(np.arange(H) < t, name="keep")
        h = where(keep, rnn(x, h, p), h).named("h")
    return h.sum()


def truncated(X, p):
    """Every third step begins with a state whose gradient is cut."""
    h, total = zero(), 0
    for t, x in steps(X):
        if t % 3 == 1 and t > 1:
            h = stop_gradient(h)
        h = rnn(x, h, p).named("h")
        total = total + (h * h).sum()
    return total


def truncated_at_the_end(X, p):
    """The same, at the end of every second step; both parts of the state."""
    state = zero("h"), zero("c")
    for t, x in steps(X):
        with scope("lstm"):
            state = fused_lstm(x, state, p)
        if t % 2 == 0 and t < len(X):
            state = tuple(map(stop_gradient, state))
    return state[0].sum()


def truncated_by_detaching(X, p):
    h, total = zero(), 0
    for t, x in steps(X):
        if t % 3 == 1 and t > 1:
            h = h.detach()
        h = rnn(x, h, p).named("h")
        total = total + (h * h).sum()
    return total


def truncated_backwards(X, p):
    h = zero()
    for t, x in steps(X, reverse=True):
        if t < len(X) and (len(X) - t) % 3 == 0:
            h = stop_gradient(h)
        h = rnn(x, h, p).named("h")
    return h.sum()


def cut_at_every_step(X, p):
    """Each step learns from itself alone."""
    h, total = zero(), 0
    for t, x in steps(X):
        h = rnn(x, stop_gradient(h) if t > 1 else h, p).named("h")
        total = total + h.sum()
    return total


def losses_after_the_loop(X, p):
    """What each step adds to the loss is made when all steps are over."""
    h, hs = zero(), []
    for _, x in steps(X):
        h = rnn(x, h, p).named("h")
        hs.append(h)
    total = None
    for h in hs:
        part = (h * h).sum()
        total = part if total is None else total + part
    return total


def losses_after_the_loop_with_more(X, p):
    """Targets, two terms of a kind for each step, a number to begin with, and a penalty."""
    h, hs, total = zero(), [], 0
    for _, x in steps(X):
        h = rnn(x, h, p).named("h")
        hs.append(h)
    for h, x in zip(hs, X.numpy(), strict=True):
        y, target = h @ p("V", H, I), Tensor(x, name="target")
        total = total + ((y - target) ** 2).sum() + (h * h).sum()
    return total + 0.1 * (p("W", H, H) ** 2).sum()


def encoder_decoder(X, p):
    """The decoder has one step fewer than the encoder, and reads its last state at each."""
    h = zero()
    for _, x in steps(X):
        with scope("encoder"):
            h = rnn(x, h, p, "e").named("h")
    s, y = h, Tensor(np.zeros(H), name="start")
    total = 0
    for _ in steps(range(max(len(X) - 1, 1))):
        with scope("decoder"):
            s = rnn(concatenate([y, h]), s, p, "d").named("s")
            y = tanh(s @ p("V", H, H)).named("y")
            total = total + y.sum()
    return total


PROGRAMS = {
    name: f
    for name, f in list(globals().items())
    if getattr(getattr(f, "__code__", None), "co_varnames", ())[:2] == ("X", "p")
}
