"""Optimizers and schedules: PyTorch's numbers over 20 steps, and again after saving and loading."""

import numpy as np
import pytest

from microgrrepresent import Tensor
from rnn import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    Linear,
    LinearLR,
    ReduceLROnPlateau,
    RMSprop,
    StepLR,
)

OPTIMIZERS = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    (SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    (Adagrad, {"lr": 0.2}),
    (Adagrad, {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    (RMSprop, {}),
    (RMSprop, {"lr": 0.05, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.1}),
    (RMSprop, {"lr": 0.05, "centered": True}),
    (Adam, {"lr": 0.1}),
    (Adam, {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3, "weight_decay": 0.1}),
    (Adam, {"lr": 0.1, "amsgrad": True}),
    (AdamW, {"lr": 0.1}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
]
SCHEDULES = [
    (StepLR, {"step_size": 4, "gamma": 0.5}),
    (ExponentialLR, {"gamma": 0.8}),
    (CosineAnnealingLR, {"T_max": 8, "eta_min": 0.01}),  # 20 steps: past the minimum, up, and down
    (LinearLR, {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 6}),
    (LambdaLR, {"lr_lambda": lambda k: 1 / (1 + k)}),
]
START = [np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]), np.array([0.7, -0.1])]


def gradients(values, k):
    """Of a function with curvature and a term that changes from step to step."""
    return [np.sin(w * 3 + k) + w**3 / 10 for w in values]


def leaves():
    return [Tensor(w, requires_grad=True, name=f"w{i}") for i, w in enumerate(START)]


def run(optimizer, schedule=None, first=0, last=20, losses=None):
    path = []
    for k in range(first, last):
        ws = optimizer.parameters
        for w, g in zip(ws, gradients([w.numpy() for w in ws], k), strict=True):
            w.grad = g
        optimizer.step()
        if schedule is not None:
            schedule.step(*([losses[k]] if losses else []))
        path.append([w.numpy().copy() for w in ws] + [np.array(optimizer.lr)])
    return path


def torch_run(make, schedule=None, losses=None):
    torch = pytest.importorskip("torch")
    ws = [torch.tensor(w, requires_grad=True) for w in START]
    optimizer = make(torch, ws)
    plan = schedule(torch, optimizer) if schedule else None
    path = []
    for k in range(20):
        for w, g in zip(ws, gradients([w.detach().numpy() for w in ws], k), strict=True):
            w.grad = torch.from_numpy(g)
        optimizer.step()
        if plan is not None:
            plan.step(*([losses[k]] if losses else []))
        rate = np.array(optimizer.param_groups[0]["lr"])
        path.append([w.detach().numpy().copy() for w in ws] + [rate])
    return path


def assert_same_path(ours, theirs, tolerance):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parity
@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_optimizer_is_pytorchs(kind, settings):
    theirs = torch_run(lambda torch, ws: getattr(torch.optim, kind.__name__)(ws, **settings))
    assert_same_path(run(kind(leaves(), **settings)), theirs, 1e-10)


@pytest.mark.parity
@pytest.mark.parametrize("kind", [SGD, Adagrad, RMSprop, Adam, AdamW])
def test_default_settings_are_pytorchs(kind):
    theirs = torch_run(lambda torch, ws: getattr(torch.optim, kind.__name__)(ws))
    assert_same_path(run(kind(leaves())), theirs, 1e-10)


@pytest.mark.parity
@pytest.mark.parametrize(("kind", "settings"), SCHEDULES)
def test_schedule_is_pytorchs(kind, settings):
    theirs = torch_run(
        lambda torch, ws: torch.optim.SGD(ws, lr=0.3),
        lambda torch, o: getattr(torch.optim.lr_scheduler, kind.__name__)(o, **settings),
    )
    optimizer = SGD(leaves(), lr=0.3)
    assert_same_path(run(optimizer, kind(optimizer, **settings)), theirs, 1e-10)


@pytest.mark.parity
@pytest.mark.parametrize("kind", [SGD, Adagrad, RMSprop, Adam, AdamW])
def test_groups_with_rates_of_their_own_are_pytorchs(kind):
    def groups(ws):
        return [{"params": ws[:1], "lr": 0.02}, {"params": ws[1:]}]

    settings = {"lr": 0.1, "weight_decay": 0.05}
    theirs = torch_run(
        lambda torch, ws: getattr(torch.optim, kind.__name__)(groups(ws), **settings),
        lambda torch, o: torch.optim.lr_scheduler.StepLR(o, 4, 0.5),
    )
    optimizer = kind(groups(leaves()), **settings)
    ours = run(optimizer, StepLR(optimizer, 4, 0.5))
    assert_same_path([path[:2] for path in ours], [path[:2] for path in theirs], 1e-10)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("lr", "more"),
    [
        (0.3, {"min_lr": 0.05}),
        (0.3, {"min_lr": 0.05, "cooldown": 2}),
        (0.3, {"threshold": 0.1}),
        (2.5e-8, {}),  # a reduction too small to matter is not made
    ],
)
def test_plateau_is_pytorchs(lr, more):
    losses = [5, 4.8, 4.6, 4.4, 4, 4, 3.9999, 3.9, 4, 4, 4, 4, 4, 4, 4, 2, 3, 3, 3, 3]
    settings = {"factor": 0.5, "patience": 2, **more}
    theirs = torch_run(
        lambda torch, ws: torch.optim.Adam(ws, lr=lr),
        lambda torch, o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, **settings),
        losses,
    )
    optimizer = Adam(leaves(), lr=lr)
    plan = ReduceLROnPlateau(optimizer, **settings)
    ours = run(optimizer, plan, losses=losses)
    assert_same_path(ours, theirs, 1e-10)
    assert optimizer.lr < lr


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_variance_that_rounding_takes_below_0_is_0(dtype):
    g = np.random.default_rng(0).normal(size=1000).astype(dtype)
    w = Tensor(np.zeros_like(g), requires_grad=True)
    optimizer = RMSprop([w], 0.01, alpha=0.5, eps=0.1, centered=True)
    for _ in range(100):  # a gradient that stays the same has no variance
        w.grad = g
        optimizer.step()
    memory = optimizer.memories[0]
    assert (memory["s"] < memory["mean"] ** 2).any()  # so it happens
    before = w.numpy().copy()
    optimizer.step()
    np.testing.assert_allclose(before - w.numpy(), 0.01 * g / 0.1, rtol=2e-2, atol=1e-5)


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_a_restored_optimizer_goes_on_to_the_last_bit(kind, settings):
    whole = run(kind(leaves(), **settings))
    first = kind(leaves(), **settings)
    run(first, last=9)
    second = kind(leaves())  # the settings come with the state
    for new, old in zip(second.parameters, first.parameters, strict=True):
        new.assign(old.numpy())
    second.load_state_dict(first.state_dict())
    run(first, last=3)  # what the first does now must not reach the second
    assert_same_path(run(second, first=9), whole[9:], 0)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *SCHEDULES,
        (ReduceLROnPlateau, {"factor": 0.5, "patience": 2, "cooldown": 3}),
        (ReduceLROnPlateau, {"factor": 0.5, "patience": 3, "min_lr": 0.1}),
    ],
)
@pytest.mark.parametrize("stop_at", [4, 9, 13])  # among bad losses, resting, and after a new best
def test_a_restored_schedule_goes_on(kind, settings, stop_at):
    losses = [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3]

    def made():
        optimizer = SGD(leaves(), lr=0.3)
        return optimizer, kind(optimizer, **settings)

    optimizer, plan = made()
    whole = run(optimizer, plan, losses=losses)
    optimizer, plan = made()
    run(optimizer, plan, last=stop_at, losses=losses)
    again, restored = made()
    for new, old in zip(again.parameters, optimizer.parameters, strict=True):
        new.assign(old.numpy())
    again.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(plan.state_dict())
    assert_same_path(run(again, restored, first=stop_at, losses=losses), whole[stop_at:], 0)
    assert whole[-1][-1] < 0.3


def test_weight_decay_is_the_gradient_of_a_penalty():
    # G7: λ Σ w² has the gradient 2λw, so it is weight decay 2λ in a step of SGD
    lam = 0.15
    (w, _), (v, _) = leaves(), leaves()
    penalized, decayed = SGD([w], lr=0.1), SGD([v], lr=0.1, weight_decay=2 * lam)
    (w.sum() + lam * (w * w).sum()).backward()
    v.sum().backward()
    penalized.step()
    decayed.step()
    np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=1e-15)
    assert not np.allclose(v.numpy(), START[0] - 0.1)


@pytest.mark.parametrize("kind", [SGD, Adagrad, RMSprop, Adam, AdamW])
def test_float32_stays_float32(kind):
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    optimizer = kind([w], lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    assert w.dtype == np.float32
    assert all(a.dtype == np.float32 for m in optimizer.memories for k, a in m.items() if k != "k")


def test_a_parameter_without_gradient_is_left_alone():
    used, unused = leaves()
    optimizer = Adam([used, unused], lr=0.1)
    used.sum().backward()
    optimizer.step()
    assert np.array_equal(unused.numpy(), START[1])
    assert not np.allclose(used.numpy(), START[0])
    assert "k" not in optimizer.memories[1]


def test_zero_grad_forgets_the_gradients():
    w, _ = leaves()
    optimizer = SGD([w])
    w.sum().backward()
    optimizer.zero_grad()
    assert w.grad is None


def test_amsgrad_remembers_the_largest():
    w = Tensor(1.0, requires_grad=True)
    optimizer = Adam([w], lr=0.1, betas=(0.0, 0.5), amsgrad=True)
    for g in (10.0, 0.1):
        w.grad = np.array(g)
        optimizer.step()
    assert optimizer.memories[0]["top"] == 50.0


def test_rates_of_groups_are_restored():
    w, v = leaves()
    first = SGD([{"params": [w], "lr": 0.05}, v], lr=0.1)
    second = SGD(leaves(), lr=0.3)
    second.load_state_dict(first.state_dict())
    assert_same_path(run(second), run(first), 0)


def test_a_state_is_a_copy():
    optimizer = Adam(leaves())
    run(optimizer, last=1)
    state = optimizer.state_dict()
    state["0.m"][...] = 99
    assert (abs(optimizer.memories[0]["m"]) < 1).all()
    optimizer.load_state_dict(state)
    state["0.m"][...] = 0
    assert (optimizer.memories[0]["m"] == 99).all()


def test_a_rate_that_has_come_out_of_range_moves_nothing():
    (w, _) = leaves()
    optimizer = SGD([w], lr=0.1)
    schedule = ExponentialLR(optimizer, -1)
    w.sum().backward()
    schedule.step()
    with pytest.raises(ValueError, match=r"SGD: lr must be a finite number >= 0, got -0.1"):
        optimizer.step()
    assert np.array_equal(w.numpy(), START[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("eps"), "the state has no eps"),
        (lambda state: state.update(junk=1), "the state has 'junk', which is neither"),
        (lambda state: state.update({"2.m": START[0]}), "has '2.m', which is neither"),
        (lambda state: state.update({"0.m": START[1]}), r"m for w0 has shape \(2,\)"),
    ],
)
def test_a_state_that_is_not_whole_changes_nothing(change, said):
    optimizer, state = Adam(leaves(), lr=0.1), Adam(leaves(), lr=0.7).state_dict()
    run(optimizer, last=2)
    before = optimizer.state_dict()
    change(state)
    with pytest.raises(ValueError, match=said):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert list(after) == list(before)
    assert all(np.array_equal(after[name], value) for name, value in before.items())


def test_messages():
    w, v = leaves()
    with pytest.raises(ValueError, match="a parameter is given twice"):
        SGD([w, w])
    with pytest.raises(ValueError, match="no parameters to train"):
        Adam([])
    with pytest.raises(ValueError, match=r"write \[w\] for a single w"):
        Adam(w)
    with pytest.raises(ValueError, match=r"x cannot be trained; give leaves"):
        SGD([Tensor(1.0, name="x")])
    with pytest.raises(ValueError, match=r"cannot be trained"):
        SGD([w * 2])
    with pytest.raises(ValueError, match=r"lr must be a finite number >= 0, got -1"):
        SGD([w], lr=-1)
    with pytest.raises(ValueError, match=r"beta2 must be a number >= 0 and < 1, got 1"):
        Adam([w], betas=(0.9, 1))
    with pytest.raises(ValueError, match="needs momentum > 0"):
        SGD([w], nesterov=True)
    for lr in ("0.1", np.inf, np.nan, None):
        with pytest.raises(ValueError, match=r"lr must be a finite number >= 0, got "):
            Adam([w], lr=lr)
    with pytest.raises(ValueError, match=r"betas must be two numbers, got \(0.9,\)"):
        Adam([w], betas=(0.9,))
    for kind in (Adagrad, Adam, RMSprop):
        with pytest.raises(ValueError, match=r"eps must be a finite number >= 0, got -1"):
            kind([w], eps=-1)
    for kind in (SGD, AdamW):
        with pytest.raises(ValueError, match=r"such as model\.parameters\(\);.* got a Linear"):
            kind(Linear(2, 2))
    with pytest.raises(ValueError, match="a parameter cannot be trained"):
        Adam([np.ones(3)])
    with pytest.raises(ValueError, match="params of a group: parameters must be a list"):
        SGD([{"params": w}])
    with pytest.raises(ValueError, match=r"must be an Optimizer, such as .* got Linear\(2, 2"):
        StepLR(Linear(2, 2), 3)
    with pytest.raises(ValueError, match="must be an Optimizer"):
        ReduceLROnPlateau(None)
    with pytest.raises(ValueError, match="step_size must be an integer >= 1, got 0"):
        StepLR(SGD([w]), 0)
    with pytest.raises(ValueError, match="patience must be an integer >= 0, got -3"):
        ReduceLROnPlateau(SGD([w]), patience=-3)
    adam = Adam([w, v])
    w.sum().backward()
    adam.step()
    with pytest.raises(ValueError, match="AdamW: the state given is that of Adam"):
        AdamW([w]).load_state_dict(adam.state_dict())
    with pytest.raises(ValueError, match=r"m for w1 has shape \(2, 3\); the parameter has \(2,\)"):
        Adam([v, w]).load_state_dict(adam.state_dict())
    with pytest.raises(ValueError, match="that of 2 parameters, but 1 are being trained"):
        Adam([w]).load_state_dict(adam.state_dict())
    with pytest.raises(ValueError, match="may have 'lr', got 'params', 'weight_decay'"):
        SGD([{"params": [w], "weight_decay": 1}])
    with pytest.raises(ValueError, match="given twice"):
        SGD([w, {"params": [w]}])
    with pytest.raises(ValueError, match="lr of a group must be a finite number >= 0, got -1"):
        SGD([{"params": [w], "lr": -1}])
    with pytest.raises(ValueError, match=r"lr of a group must be 0, .*lr is 0, got 0\.5"):
        SGD([{"params": [w], "lr": 0.5}], lr=0)
    SGD([{"params": [w], "lr": 0}], lr=0)
    with pytest.raises(ValueError, match=r"no schedule, .*must have kind, base_lr, count"):
        ExponentialLR(SGD([w]), 0.5).load_state_dict({})
    with pytest.raises(ValueError, match="StepLR: the state is that of ExponentialLR"):
        StepLR(SGD([w]), 3).load_state_dict(ExponentialLR(SGD([w]), 0.5).state_dict())
    with pytest.raises(ValueError, match="needs the loss"):
        ReduceLROnPlateau(SGD([w])).step()
