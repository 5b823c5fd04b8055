"""Models: recurrent networks with what stands below, above and beside them."""

from rnn.models.attention import Attention
from rnn.models.decoder import Decoder, DecoderState
from rnn.models.encoder import Encoded, Encoder
from rnn.models.graph_network import GraphRecurrentCell
from rnn.models.heads import SequenceClassifier, SequenceTagger
from rnn.models.hopfield import HopfieldNetwork
from rnn.models.language_model import LanguageModel
from rnn.models.narx import NARX, DelayState, TimeDelayCell
from rnn.models.pooling import last_state, mean_state
from rnn.models.recursive import RecursiveCell

__all__ = [
    "NARX",
    "Attention",
    "Decoder",
    "DecoderState",
    "DelayState",
    "Encoded",
    "Encoder",
    "GraphRecurrentCell",
    "HopfieldNetwork",
    "LanguageModel",
    "RecursiveCell",
    "SequenceClassifier",
    "SequenceTagger",
    "TimeDelayCell",
    "last_state",
    "mean_state",
]
