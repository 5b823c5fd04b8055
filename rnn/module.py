"""A module: an object that holds parameters, and other modules that do.

There is nothing to register. A module's parameters are the leaf Tensors among its attributes, in
the order in which they were set; those of the modules among its attributes follow with a dot in
their names, and lists, tuples and dicts are looked into:

    class Tagger(Module):
        def __init__(self):
            self.embedding = Embedding(30, 8)     # embedding.weight
            self.layers = [LSTM(8, 16)]           # layers.0.weight_ih_l0, ...
            self.head = Linear(16, 4)             # head.weight, head.bias

        def forward(self, x):                     # called as tagger(x)
            output, _ = self.layers[0](self.embedding(x))
            return self.head(output)

The names and shapes are PyTorch's: `load_state_dict` takes PyTorch's state_dict, and what
`rnn.weights.to_torch` makes of ours is taken there.

A parameter that is set anew stays a parameter: ``head.weight = array`` takes the values over,
``head.weight = embedding.weight`` ties the two, and whatever is neither is refused. The same holds
for a list or dict of parameters that is set anew as a whole, place by place. One place of it,
``self.ws[0] = array``, is Python's own assignment, which a module cannot see: write
``self.ws[0].assign(array)``.

A result is no parameter, not even one that requires a gradient, such as the state of the last call.
So ``self.W = 0.01 * Tensor(array, requires_grad=True)`` is not trained; scale the array instead:
``self.W = Tensor(0.01 * array, requires_grad=True)``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from reprlib import recursive_repr
from typing import Any, NamedTuple, Self

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.arrays import overflows, plain
from microgrrepresent.errors import FileError, listed, operand
from microgrrepresent.files import read_arrays, write_arrays
from microgrrepresent.node import Array
from microgrrepresent.prompt import Printed
from rnn.absent import AbsentOfModule
from rnn.errors import StateDictError
from rnn.parameters import check_held, held, kept, two_of


class UnmatchedKeys(NamedTuple):
    """The names that only one of a module and a state has, as ``load_state_dict`` returns them."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(AbsentOfModule):
    """Base class of everything that has parameters.

    Attributes
    ----------
    training : bool
        Whether the module behaves as in training; see `train` and `eval`.

    Examples
    --------
    >>> from rnn import Linear, Module
    >>> class Net(Module):
    ...     def __init__(self):
    ...         self.inner, self.outer = Linear(3, 5, bias=False), Linear(5, 1)
    >>> [(name, p.shape) for name, p in Net().named_parameters()]
    [('inner.weight', (5, 3)), ('outer.weight', (1, 5)), ('outer.bias', (1,))]
    """

    training: bool = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, which a module of your own defines.

        Raises
        ------
        TypeError
            If it does not.
        """
        forward = getattr(self, "forward", None)
        if forward is None:
            raise TypeError(
                f"{type(self).__name__} cannot be called, because it does not say what it "
                "computes; define def forward(self, x): ..."
            )
        return forward(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        what = f"{type(self).__name__}.{name}"
        check_held(what, value)
        value = kept(vars(self).get(name), value, what)
        members = list(held(name, value, (Tensor, Module)))
        for path, member in members:
            if isinstance(member, Module):
                self._not_inside(member, f"{type(self).__name__}.{path}")
        object.__setattr__(self, name, value)
        alone = True
        for path, member in members:
            if isinstance(member, Module):
                member._belong_to(path.replace(".", "/"))
                alone = False
        if not alone:
            self._tell_apart()

    def _tell_apart(self) -> None:
        """Put the names of members before scopes of one name: enc/gru and dec/gru."""
        scoped: dict[str, dict[Module, str]] = {}
        for name, value in vars(self).items():
            for path, member in held(name, value, (Tensor, Module)):
                for inner in member._scoped() if isinstance(member, Module) else ():
                    scoped.setdefault(inner.scope, {}).setdefault(inner, path.replace(".", "/"))
        for alike in scoped.values():
            if len(alike) > 1:
                for module, path in alike.items():
                    module._compute_in(path)

    def _scoped(self) -> Iterator[Any]:
        """The modules that compute in a scope of their own, this one or those inside of it."""
        if hasattr(self, "scope"):
            yield self
        else:
            for _, member in self._members():
                if isinstance(member, Module):
                    yield from member._scoped()

    def _compute_in(self, path: str) -> None:
        """Put a path before the scopes of this module and of its cells."""
        for module in self.modules():
            if hasattr(module, "scope"):
                module.scope = f"{path}/{module.scope}"

    def _belong_to(self, path: str) -> None:
        """Let parameters say whose they are, ``fc1/W``, unless the nodes of their cell do."""
        if not hasattr(self, "scope"):
            for _, member in self._members():
                if isinstance(member, Module):
                    member._belong_to(path)
                else:
                    scope = member.place.scope
                    member.place = member.place._replace(scope=f"{path}/{scope}".rstrip("/"))

    def _members(self) -> Iterator[tuple[str, Tensor | Module]]:
        """The leaf Tensors and modules among the attributes, in the order of their setting."""
        for name, value in vars(self).items():
            yield from held(name, value, (Tensor, Module))

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name and Tensor of everything that `state_dict` saves.

        Raises
        ------
        ValueError
            If two would have one name.
        TypeError
            If a list was given a module that holds the list.
        """
        seen: set[str] = set()
        for name, member in self._members():
            if isinstance(member, Tensor):
                named: Any = [(name, member)]
            else:
                self._not_inside(member, f"a list in {type(self).__name__}")
                named = ((f"{name}.{inner}", tensor) for inner, tensor in member.named_tensors())
            for path, tensor in named:
                if path in seen:
                    raise two_of(f"{type(self).__name__}.{path}")
                seen.add(path)
                yield path, tensor

    def _not_inside(self, member: Module, what: str) -> None:
        if any(self is module for module in member.modules()):
            raise TypeError(
                f"{what} holds the {type(self).__name__} that it is in, and a module that is "
                "inside of itself has no end; give it what it needs of that one when it is called"
            )

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Name and Tensor of every parameter; a shared one comes once, under its first name."""
        seen: set[Tensor] = set()
        for name, tensor in self.named_tensors():
            if tensor.requires_grad and tensor not in seen:
                seen.add(tensor)
                yield name, tensor

    def parameters(self) -> list[Tensor]:
        """Every Tensor here that requires a gradient, once."""
        return [tensor for _, tensor in self.named_parameters()]

    def summary(self) -> Printed:
        """Say how many numbers each part of the module has to learn, as a table to print.

        A parameter that two parts share counts where it is found first.

        Examples
        --------
        >>> from rnn import LSTM, Linear, Module
        >>> class Net(Module):
        ...     def __init__(self):
        ...         self.lstm, self.readout = LSTM(8, 32), Linear(32, 10)
        >>> print(Net().summary())
        lstm     LSTM(8, 32)     5,376
        readout  Linear(32, 10)    330
        total                    5,706
        """
        counts: dict[str, int] = {}
        for name, tensor in self.named_parameters():
            part = name.partition(".")[0]
            counts[part] = counts.get(part, 0) + tensor.size
        parts = vars(self)
        kinds = [repr(parts[p]) if isinstance(parts.get(p), Module) else "" for p in counts]
        rows = [
            *zip(counts, kinds, map("{:,}".format, counts.values()), strict=True),
            ("total", "", f"{sum(counts.values()):,}"),
        ]
        left, middle, right = (max(map(len, column)) for column in zip(*rows, strict=True))
        return Printed("\n".join(f"{a:<{left}}  {b:<{middle}}  {c:>{right}}" for a, b, c in rows))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all modules inside it, each once."""
        found, todo = {self: None}, [self]
        while todo:
            module = todo.pop()
            yield module
            inside = [part for _, part in module._members() if isinstance(part, Module)]
            for member in reversed(dict.fromkeys(inside)):
                if member not in found:
                    found[member] = None
                    todo.append(member)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients that ``backward()`` left, or let them be zeros."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none else np.zeros_like(parameter.value)

    def train(self, mode: bool = True) -> Self:
        """Behave as in training: dropout drops."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Behave as in use: dropout lets everything pass."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter, by PyTorch's name for it."""
        return {name: tensor.numpy().copy() for name, tensor in self.named_tensors()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> UnmatchedKeys:
        """Give every parameter the value that stands under its name; data types stay.

        Parameters
        ----------
        state : mapping of str to array
            Arrays, Tensors or PyTorch's tensors. Nothing is changed unless everything fits.
        strict : bool
            Whether names must be the same; if not, those that both have are loaded.

        Returns
        -------
        UnmatchedKeys
            The names that the state lacks, and those that only the state has.

        Raises
        ------
        StateDictError
            If names are missing, not expected, or stand for arrays of another shape, or of numbers
            that are too large, or two names of one parameter stand for different values.
        DTypeError
            If a masked array is given, whose mask would be lost.
        """
        own = dict(self.named_tensors())
        if not isinstance(state, Mapping):
            raise StateDictError(
                f"load_state_dict: expected names and arrays, as state_dict() gives, for {self!r}, "
                f"got a {type(state).__name__}"
            )
        given = {name: _array(name, value) for name, value in state.items()}
        names = {tensor: name for name, tensor in reversed(own.items()) if name in given}
        problems = []
        missing = [name for name in own if name not in given]
        unexpected = [name for name in given if name not in own]
        if strict and missing:
            problems.append(f"missing: {_listed(missing, own)}")
        if strict and unexpected:
            problems.append(f"unexpected: {_listed(unexpected, given)}")
        for name, tensor in own.items():
            if name in given and given[name].shape != tensor.shape:
                problems.append(f"{name}: expected {tensor.shape}, got {given[name].shape}")
            elif name in given and not np.can_cast(given[name].dtype, tensor.dtype, "same_kind"):
                problems.append(f"{name}: expected {tensor.dtype}, got {given[name].dtype}")
            elif name in given and overflows(given[name], tensor.dtype):
                problems.append(f"{name}: has numbers that are too large for {tensor.dtype}")
            elif name in given and not _same(given[first := names[tensor]], given[name]):
                problems.append(f"{first} and {name} are one parameter, got two values")
        if problems:
            raise StateDictError(
                f"load_state_dict: the state does not fit {self!r}, and nothing was loaded; "
                + "; ".join(problems)
                + "; was it saved from a module made with other arguments?"
            )
        for name, tensor in own.items():
            if name in given:
                tensor.assign(given[name])
        return UnmatchedKeys(missing, unexpected)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `state_dict` to an .npz file, which is replaced at once or not at all.

        Raises
        ------
        FileError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from rnn import Linear
        >>> a, b = Linear(2, 1), Linear(2, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     a.save(pathlib.Path(folder) / "linear.npz")
        ...     b.load(pathlib.Path(folder) / "linear.npz")
        >>> bool((a.weight == b.weight).numpy().all())
        True
        """
        write_arrays(path, self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read what `save` wrote.

        Raises
        ------
        StateDictError
            If the file cannot be read, is no .npz file, or holds the state of another module.
        """
        try:
            state = read_arrays(path)
        except FileError as error:
            raise StateDictError(
                f"load: {error}; give the path of a file that save() wrote"
            ) from error
        self.load_state_dict(state)

    @recursive_repr()
    def __repr__(self) -> str:
        inner = [repr(member) for _, member in self._members() if isinstance(member, Module)]
        told = ", ".join(inner)
        if len(told) > 300:
            told = f"{len(inner)} modules, {sum(p.size for p in self.parameters()):,} parameters"
        return f"{type(self).__name__}({told})"


def _same(a: Array, b: Array) -> bool:
    floats = a.dtype.kind == b.dtype.kind == "f"
    return a is b or np.array_equal(a, b, equal_nan=floats)


def _array(name: str, value: Any) -> Array:
    given = value.detach() if hasattr(value, "detach") else plain(value)
    try:
        return np.asarray(given)
    except (TypeError, ValueError) as error:
        raise StateDictError(
            f"load_state_dict: {name} is no array of a data type that NumPy has ({error}); "
            "convert it first, as .float() does in PyTorch"
        ) from error


def _listed(names: list[str], arrays: Mapping[str, Any]) -> str:
    return listed([operand(name, arrays[name]) for name in names])
