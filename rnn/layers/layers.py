"""The recurrent layers `RNN`, `GRU` and `LSTM`: those of `torch.nn`.

The same arguments, parameter names and shapes, gate order, forms of input, outputs and states, so
that a ``state_dict`` moves both ways and what is learned with one holds with the other. Beyond it
they take the variants of the cells by keyword, other cells (``RNN(..., cell=CTRNNCell)``), the
lengths of padded batches, ``reverse=True`` and ``learn_initial_state=True``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from numpy.typing import DTypeLike

from microgrrepresent import Tensor
from rnn.cells.cell import Cell, made
from rnn.cells.gates import Composition
from rnn.cells.gru import GRUCell
from rnn.cells.lstm import LSTMCell, LSTMState, Peephole
from rnn.cells.simple import Nonlinearity, RNNCell
from rnn.initialize import Rng, floating, generator
from rnn.inputs import flags
from rnn.layers.recurrent import Recurrent


class RNN(Recurrent[Tensor]):
    """A simple recurrent layer, `RNNCell` over time: ``torch.nn.RNN``.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x_t and of h_t.
    num_layers : int
        Number of layers, each of which takes what the one below shows.
    nonlinearity : {"tanh", "relu", "sigmoid", "identity"}, optional
        As in `RNNCell`: "tanh" if not given.
    bias, batch_first, dropout, bidirectional, reverse, learn_initial_state, device, dtype, rng
        As in `LSTM`.
    cell : callable
        Makes another cell than `RNNCell` from its input and hidden size: a class such as
        `ResidualRNNCell`, `LinearRecurrentCell` or `CTRNNCell`, your own, or a ``partial`` of one
        with its other arguments. It gets ``nonlinearity`` and ``bias`` only where they are given.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import RNN
    >>> output, h = RNN(10, 20, 2)(np.zeros((5, 3, 10)), np.zeros((2, 3, 20)))
    >>> output.shape, h.shape
    ((5, 3, 20), (2, 3, 20))

    >>> from functools import partial
    >>> from rnn import CTRNNCell
    >>> slow = RNN(10, 20, bidirectional=True, cell=partial(CTRNNCell, tau=5.0))
    >>> slow(np.zeros((5, 3, 10)))[0].shape
    (5, 3, 40)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Nonlinearity | None = None,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        cell: Callable[..., Cell[Any]] = RNNCell,
        proj_size: int = 0,
        reverse: bool = False,
        learn_initial_state: bool = False,
        rng: Rng = None,
    ) -> None:
        _check_no_projection("RNN", proj_size)
        flags("RNN", bias=bias)
        rng, dtype = generator(rng), floating(dtype, device)
        given: dict[str, Any] = {} if bias else {"bias": False}
        if nonlinearity is not None:
            given["nonlinearity"] = nonlinearity

        def make_cell(size: int) -> Cell[Any]:
            return made(cell, "RNN", size, hidden_size, **given, dtype=dtype, rng=rng)

        super().__init__(
            make_cell, input_size, num_layers, batch_first, dropout, bidirectional, reverse,
            learn_initial_state, rng,
        )  # fmt: skip
        self.nonlinearity, self.bias = getattr(self.cells[0], "nonlinearity", None), bias


class GRU(Recurrent[Tensor]):
    """A gated recurrent layer, `GRUCell` over time: ``torch.nn.GRU``.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x_t and of h_t.
    num_layers, bias, batch_first, dropout, bidirectional, reverse, learn_initial_state, dtype, rng
        As in `LSTM`.
    reset_after, update_gate, reset_gate, composition
        As in `GRUCell`.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import GRU
    >>> output, h = GRU(10, 20, 2)(np.zeros((5, 3, 10)))
    >>> output.shape, h.shape
    ((5, 3, 20), (2, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        reset_after: bool = True,
        update_gate: Literal["keep", "write"] = "keep",
        reset_gate: bool = True,
        composition: Composition = "fused",
        proj_size: int = 0,
        reverse: bool = False,
        learn_initial_state: bool = False,
        rng: Rng = None,
    ) -> None:
        _check_no_projection("GRU", proj_size)
        rng, dtype = generator(rng), floating(dtype, device)
        self.bias = bias

        def make_cell(size: int) -> GRUCell:
            return GRUCell(
                size, hidden_size, bias, reset_after=reset_after, update_gate=update_gate,
                reset_gate=reset_gate, composition=composition, dtype=dtype, rng=rng,
            )  # fmt: skip

        super().__init__(
            make_cell, input_size, num_layers, batch_first, dropout, bidirectional, reverse,
            learn_initial_state, rng,
        )  # fmt: skip


class LSTM(Recurrent[LSTMState]):
    """A long short-term memory layer, `LSTMCell` over time: ``torch.nn.LSTM``.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x_t and of c_t.
    num_layers : int
        Number of layers, each of which takes what the one below shows.
    bias : bool
        Whether the cells have biases.
    batch_first : bool
        Whether x and the output are (B, T, size) instead of (T, B, size). States are not affected.
    dropout : float
        Probability of dropping what a layer shows to the next, in training.
    bidirectional : bool
        Whether each layer also runs from the last step to the first.
    proj_size, forget_gate, coupled, peephole, forget_bias, gate_activation, activation, composition
        As in `LSTMCell`.
    reverse : bool
        Whether the layer runs from the last step to the first, and only that way.
    learn_initial_state : bool
        Whether the initial state is a parameter, ``initial.h_l0`` and so on, which PyTorch does not
        have; it is of all sequences the same. See the example.
    dtype : data type, optional
        Of parameters, inputs, states and outputs; float64 if not given.
    device : None or "cpu"
        As in ``torch.nn``.
    rng : Generator or int, optional
        Where first values and dropout come from.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LSTM
    >>> output, (h, c) = LSTM(10, 20, 2)(np.zeros((5, 3, 10)))
    >>> output.shape, h.shape, c.shape
    ((5, 3, 20), (2, 3, 20), (2, 3, 20))

    To PyTorch a learned initial state goes as what it is there, the state of a call, beside the
    other parameters:

    >>> layer = LSTM(10, 20, learn_initial_state=True)
    >>> state = layer.state_dict()
    >>> [name for name in state if not name.startswith("initial.")]
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    >>> h0, c0 = layer.initial_state(batch=3)
    >>> h0.shape
    (1, 3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        forget_gate: bool = True,
        coupled: bool = False,
        peephole: Peephole = False,
        forget_bias: float | None = None,
        gate_activation: Nonlinearity = "sigmoid",
        activation: Nonlinearity = "tanh",
        composition: Composition = "fused",
        reverse: bool = False,
        learn_initial_state: bool = False,
        rng: Rng = None,
    ) -> None:
        rng, dtype = generator(rng), floating(dtype, device)
        self.bias, self.proj_size = bias, proj_size

        def make_cell(size: int) -> LSTMCell:
            return LSTMCell(
                size, hidden_size, bias, forget_gate=forget_gate, coupled=coupled,
                peephole=peephole, proj_size=proj_size, forget_bias=forget_bias,
                gate_activation=gate_activation, activation=activation, composition=composition,
                dtype=dtype, rng=rng,
            )  # fmt: skip

        super().__init__(
            make_cell, input_size, num_layers, batch_first, dropout, bidirectional, reverse,
            learn_initial_state, rng,
        )  # fmt: skip


def _check_no_projection(name: str, proj_size: int) -> None:
    if proj_size:
        raise ValueError(
            f"{name}: proj_size is for LSTM, whose h and c may differ in length, "
            f"got {proj_size}; make an LSTM, or put a Linear after the layer"
        )
