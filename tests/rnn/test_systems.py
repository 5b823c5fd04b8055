"""Every system of the index runs, is drawn, and has its example and its test."""

import ast
import inspect
import re
from pathlib import Path

import graphviz
import pytest

from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.commands import main
from rnn.errors import DataError
from rnn.systems import find, preamble, systems

ROOT = Path(__file__).parents[2]
SYSTEMS = systems()


def by_name(system):
    return system.english[0]


def names_after(call):
    names = {}
    exec(compile(f"{preamble()}\n{call}", "systems.toml", "exec"), names)
    return names


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_call_runs_and_its_picture_is_there(system):
    names = names_after(system.call)
    drawn = names.get("picture")
    made = [value for name in names.values() for value in (name if type(name) is list else [name])]
    assert not any(map(inspect.ismethod, made)), "a method that was not called"
    if system.picture is None:
        assert isinstance(drawn, graphviz.Digraph) and drawn.body
    else:
        assert drawn is None, "two pictures, and only one is shown"
        assert (ROOT / system.picture).stat().st_size > 1000


# The letters of the row's formula, as they stand in the picture.
LETTERS = {
    "Simple recurrent network": "W U b V x_1 h_1 y_1",
    "RNN in Ng's letters": "W_ax W_aa b W_ya b_y x_1 a_1 ŷ_1",
    "RNN in the letters of Nankai": "U W b V b_y x_1 h_1 y_1",
    "RNN in the letters of DataWhale's Task05": "U W b V b_o x_1 s_1 o_1",
    "RNN with rows as samples": "W_xhᵀ W_hhᵀ b W_hqᵀ b_q X_1 H_1 O_1",
    "Gate": "x W h U b c g",
    "Simplified GRU": "Γ_u,1 c̃_1 c_1",
    "GRU whose update gate writes": "Γ_r,1 Γ_u,1 c̃_1 c_1",
    "GRU": "r_1 z_1 h̃_1 h_1",
    "LSTM": "i_1 f_1 o_1 c̃_1 c_1 h_1",
    "LSTM in Ng's letters": "Γ_u,1 Γ_f,1 Γ_o,1 c̃_1 c_1 a_1",
    "Peephole LSTM": "V_i V_f V_o i_1 f_1 o_1",
    "Bidirectional RNN, sum form": "V_f V_b b_y y_1",
    "Bidirectional RNN, concatenated form": "W b ŷ",
    "Time-delay network": "W b x_1 x_2 x_-1 y_4",
}


@pytest.mark.parametrize("name", LETTERS)
def test_its_picture_is_in_its_letters(name):
    picture = names_after(find(name)[0].call)["picture"].picture
    labels = [thing.label for thing in (*picture.boxes, *picture.arrows) if thing.label]
    lines = {line for label in labels for line in plain(label).replace("−", "-").split("\n")}
    assert set(LETTERS[name].split()) <= lines


# What a row says, of the values that its call computes.
SAYS = {
    "Deep in time, shallow at each step": "depths[2] - depths[1] == depths[1] - depths[0]",
    "Function with memory": "not np.allclose(once.numpy(), again.numpy())",
    "Finite-state automaton": "[round(float(p)) for p in parities] == [1, 1, 0]",
    "Turing machine": "popped == [0, 1, 1]",
    "Linear recurrence": "np.isclose(flow['linear'].rate, 1)",
    "Saturation of a residual recurrence": "sizes == sorted(sizes) and slope.min() < 1e-6",
    "Limits of the GRU's gates": "np.allclose(h.numpy(), 1)",
    "Update gate near 1 carries the state": "np.isclose(flow['GRU'].rate, 1)",
    "Limits of the LSTM's gates": "np.allclose([c.numpy(), np.arctanh(h.numpy())], 1)",
    "Activation functions of the LSTM": "largest > 1",
    "LSTM against GRU": "lstm == 4 * (20 * 10 + 20 * 20 + 2 * 20) and 4 * gru == 3 * lstm",
    "One-hot vector": "np.allclose(distances, np.sqrt(2) * (1 - np.eye(3)))",
    "Perplexity": "np.isclose(knows_nothing, 63)",
    "Oscillating loss": "np.sum(np.diff(losses) > 0) >= 5 and losses[-1] < losses[0]",
    "Shared weights see what has moved": "same",
    "Next word": "y[:-1] == x[1:]",
}


@pytest.mark.parametrize("name", SAYS)
def test_its_call_shows_what_it_says(name):
    assert eval(SAYS[name], names_after(find(name)[0].call))


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_call_fits_a_terminal(system):
    assert max(map(len, system.call.splitlines())) <= 100


def functions_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_example_and_its_test_exist(system):
    assert (ROOT / system.example).is_file() and system.example.startswith("examples/")
    path, _, function = system.test.partition("::")
    assert function in functions_in(path)


def is_chinese(name):
    return re.search(r"[\u4e00-\u9fff]", name) is not None


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_it_is_found_by_each_of_its_names(system):
    assert system.formula and is_chinese("".join(system.chinese))
    assert not is_chinese("".join(system.english))
    for name in system.names:
        assert find(name)[0] is system and find(name.upper())[0] is system
    for word in system.words:
        assert system in find(word)[:3] and word not in system.names


# What people type who have heard a name in a lecture, or read it in another book; in any order, in
# the plural, with words around it. The system is to be among the first three.
TYPED = {
    "Computation graph, nodes are operations": "computational graphs, 计算图, 运算节点, DAG",
    "Logistic regression": "逻辑回归, sigmoid",
    "ReLU layer over a minibatch": "ReLU, rectified linear units, 修正线性单元",
    "Weight decay": "L2 regularization, L2 penalty, 正则化, 权重衰减",
    "Classical dynamic system, unrolled": "dynamical systems, 动态系统, unrolled system",
    "Parameters shared over time": "parameter sharing, shared parameters, weight sharing, "
    "weight tying, share weights over time, 参数共享, 权重共享, 权值共享",
    "Folded and unfolded graph": "unrolling, unfolded graph, loop, 展开, 按时间展开, 展开图, "
    "延时器",
    "Chain rule over a graph": "autodiff, automatic differentiation, backprop, back-propagation, "
    "chain rule, 链式法则, 反向传播算法, 自动微分, 自动求导",
    "Function with memory": "memory, 记忆, 带记忆的函数",
    "Sequences of any length": "variable length, variable-length sequences, 变长序列",
    "Time-delay network": "TDNN, time delay neural network, 1-D convolution, CNN, 延时神经网络",
    "Finite-state automaton": "finite automaton, finite state machine, FSA, FSM, parity, "
    "automata, 有限状态机, 自动机, 有限自动机",
    "Turing machine": "Turing complete, Turing machines, 图灵完备, 图灵机",
    "NARX": "narx, nonlinear autoregressive, 非线性自回归",
    "Recurrent network, any cell": "recurrent neural networks, RNN, RNNs, hidden state, "
    "hidden layer, 循环神经网络, 隐藏层, 隐藏状态, 隐状态",
    "Simple recurrent network": "simple RNN, vanilla RNN, Elman, SRN, SRNs, 简单循环网络, "
    "简单循环神经网络",
    "RNN in Ng's letters": "Ng, Ng's RNN, 吴恩达",
    "RNN in the letters of Nankai": "Nankai, 南开",
    "RNN in the letters of DataWhale's Task05": "DataWhale, Task05",
    "RNN with rows as samples": "d2l, mini-batch, 小批量",
    "Initial state": "initial states, zero state, h_0, 初始状态, 零初始化",
    "Residual recurrence": "residual RNN, skip connections, 残差, 残差连接",
    "Saturation of a residual recurrence": "saturation, 饱和",
    "Residual network": "ResNet, residual networks, 残差网络",
    "Gate": "gates, gating, gating mechanism, 门控, 门控机制, sigmoid",
    "Simplified GRU": "simplified GRU, 简化的GRU",
    "GRU": "GRUs, gated recurrent units, reset gate, update gate, 门控循环单元, 重置门, 更新门",
    "GRU as in PyTorch": "gru pytorch, PyTorch's GRU",
    "LSTM": "LSTMs, LSTM cell, long short term memory, cell state, memory cells, forget gate, "
    "input gate, output gates, 长短期记忆, 长短时记忆网络, 遗忘门, 细胞状态, 记忆单元",
    "LSTM of 1997": "forget gate, no forget gate, LSTM without forget gates, 1997, 没有遗忘门, "
    "无遗忘门, 遗忘门",
    "Coupled input and forget gates": "CIFG, coupled gates, 耦合",
    "Peephole LSTM": "peephole, peepholes, peephole connection, 窥视孔, 窥孔",
    "Information highway": "constant error carousel, CEC, 信息高速公路",
    "Activation functions of the LSTM": "activation function, LSTM activation, 激活函数",
    "LSTM against GRU": "GRU vs LSTM, LSTM vs GRU, LSTM vs. GRU, "
    "difference between GRU and LSTM, number of parameters, GRU和LSTM的区别, LSTM与GRU的区别, "
    "参数量",
    "Hopfield network": "Hopfield, associative memories, 联想记忆",
    "Stacked RNN": "deep LSTM, deep RNNs, multi-layer, multilayer RNN, stacked LSTMs, "
    "several layers, 多层循环神经网络, 深层循环网络, 堆叠, 多层LSTM",
    "Bidirectional RNN, sum form": "BiRNN, two directions, bidirectional, 双向, 双向RNN",
    "Bidirectional RNN, concatenated form": "BiRNN, BiGRU, BiLSTM, BRNN, bi-directional, "
    "two directions, bidirectional RNNs, 双向, 双向LSTM, 双向循环神经网络",
    "Recursive network": "recursive neural networks, tree network, tree-structured, 递归网络, 树",
    "Graph network": "GNN, GNNs, graph neural networks, message passing, 图神经网络, 消息传递",
    "Dropout between layers": "dropout, 随机失活, 丢弃法",
    "Encoder": "encoders, context vector, 编码器, 上下文向量",
    "Decoder with the context at the start and at every step": "seq2seq, encoder decoder, "
    "encoder-decoder, sequence-to-sequence, 编码解码, 编码器解码器, 编码器—解码器, 序列到序列",
    "Autoregressive decoder": "teacher forcing, free running, scheduled sampling, 自由运行, "
    "教师强制",
    "Attention": "attention mechanism, attention model, 注意力, 注意力机制",
    "Integer index of a word": "vocabulary, word index, 词表, 编号",
    "One-hot vector": "one hot, one-hot encoding, one-hot vectors, onehot, 独热编码, 独热, "
    "one-hot编码",
    "Unknown word": "UNK, unknown words, out-of-vocabulary, OOV, 未登录词",
    "Embedding": "word embeddings, embeddings, embedding layer, lookup table, 词嵌入, 嵌入",
    "word2vec": "Word2Vec, BERT, transformers, self-attention, contextual embeddings, 词向量",
    "End of sequence": "EOS, end of sentence, stop, 结束符",
    "Lengths of inputs and outputs": "padding, masks, mask, T_x, 掩码, 填充",
    "Binary cross-entropy, summed over time": "BCE, binary cross entropy, 损失函数, 二元交叉熵",
    "Softmax and cross-entropy, mean over time": "cross entropy, softmax, loss functions, 交叉熵",
    "Perplexity": "perplexities, bits per character, 困惑度",
    "Backpropagation through time": "BPTT, back propagation through time, BPTT算法, RTRL, "
    "随时间反向传播算法, 沿时间反向传播",
    "Truncated backpropagation through time": "TBPTT, truncated, truncated BPTT, 截断BPTT",
    "Gradient check": "gradcheck, gradient checking, finite difference, 梯度检验, 梯度检查",
    "Vanishing and exploding gradients": "vanishing gradient, vanishing gradients, "
    "gradient vanishing, gradients vanish, exploding gradient, gradient explosion, vanishing, "
    "exploding, vanishing gradient problem, 梯度消失, 梯度爆炸, 梯度消失问题, 梯度爆炸和梯度消失",
    "Eigenvalues and singular values of the recurrent matrix": "eigenvalue, singular value, 特征值",
    "ReLU recurrence": "IRNN, ReLU RNN, ReLU循环网络",
    "Gradient clipping by norm": "gradient clipping, clipping, clip gradients, clip_grad_norm, "
    "梯度裁剪",
    "NaN and overflow": "NaN, NaNs, overflow, 溢出",
    "Oscillating loss": "loss oscillates, oscillation, why does the loss fluctuate, 损失振荡, 振荡",
    "Long-range dependency": "long-term dependencies, long range dependencies, cat, 长距离依赖, "
    "长期依赖, 长程依赖",
    "Batch normalization in recurrent networks": "batch norm, BatchNorm, layer norm, 批量归一化",
    "Sequence to class, last state or mean": "sentiment analysis, mean pooling, "
    "text classification, many to one, 情感分析, 文本分类, 多对一",
    "Synchronous sequence to sequence": "POS, POS tagging, many to many, 词性标注, 多对多",
    "Asynchronous sequence to sequence": "machine translation, translation, many to many, "
    "I went to the game yesterday, 机器翻译, 翻译, 多对多",
    "One to many": "music generation, generate music, one to many, 一对多, 音乐生成",
    "Image captioning": "image captions, caption, 看图说话, 图像描述",
    "Language model": "language models, language modelling, pear, 语言模型, 语音识别",
    "Sampling new sequences": "sampling, text generation, temperature, 采样, 文本生成",
    "Greedy decoding and beam search": "beam, greedy search, 集束搜索, 束搜索",
    "Character-level and word-level language models": "char-rnn, lyrics, Linux kernel, 歌词, "
    "生成代码",
    "Next word": "next word prediction, predict the next word, 下一个词, 南开大学很好",
    "Cloze": "cloze test, fill in the blanks, 完形填空, 我想上",
    "Finding names": "NER, name finding, Teddy bears, Roosevelt, 1 1 0 1 1 0, 命名实体识别, "
    "信息抽取",
    "Chinese word segmentation": "word segmentation, BMES, 分词, 中文分词",
    "Poems": "poetry, poem generation, 写诗, 诗歌",
    "Time series": "stock prices, house price, sunspots, weather, 房价, 股票, 天气, 时间序列",
    "Images row by row": "DNA, video, handwriting, handwritten digits, 基因, 手写数字, 视频",
    "Dialogue, question answering, speech synthesis": "QA, chatbots, dialog, 问答, 对话, 语音合成",
    "Adding problem": "adding problem, adding, 加法问题",
    "Copy memory": "copy task, copying, 复制任务",
    "Embedded Reber grammar": "Reber, Reber grammar, 雷伯",
    "Continual Reber stream": "forget gate or not, learning to forget, 连续雷伯, 遗忘门",
}


@pytest.mark.parametrize("name", TYPED)
def test_it_is_found_by_what_people_type(name):
    first = {typed: [s.english[0] for s in find(typed)[:3]] for typed in TYPED[name].split(", ")}
    assert {typed: found for typed, found in first.items() if name not in found} == {}


def test_acronyms_are_whole_words():
    assert [system.english[0] for system in find("NaN")] == ["NaN and overflow"]
    assert all("Ng" in " ".join(system.english) for system in find("Ng"))
    with pytest.raises(DataError):
        find("ESN")  # which is in ResNet


def test_the_exact_one_comes_first_and_then_those_near_it():
    assert find(" gru")[0].english[0] == "GRU" and len(find("gru")) > 5
    assert [s.english[0] for s in find("peephole")] == ["Peephole LSTM"]
    assert len(find("双向")) == 2 and len(find("clipping")) == 3


def test_what_there_is_not_is_said_with_what_is_near():
    with pytest.raises(DataError, match="'peepole'; near it: Peephole LSTM"):
        find("peepole")
    with pytest.raises(DataError, match="lists all"):
        find("qqqqqq")


def test_the_command_lists_all_shows_one_and_refuses_in_one_line(capsys):
    assert main(["systems"]) == 0
    listed = capsys.readouterr().out
    assert all(s.english[0] in listed and s.chinese[0] in listed for s in SYSTEMS)
    assert main(["systems", "窥视孔"]) == 0
    shown = capsys.readouterr().out
    assert 'LSTMCell(3, 4, peephole="diagonal")' in shown and "from rnn import *" in shown
    assert main(["systems", "循环"]) == 0
    assert "简单循环网络" in capsys.readouterr().out
    assert main(["systems", "forget", "gate"]) == 0  # more words than one need no quotes
    assert "LSTM of 1997 " in capsys.readouterr().out.partition("More that 'forget gate' finds")[2]
    assert main(["systems", "qqqqqq"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_shows_the_way():
    import rnn

    assert "python -m rnn systems" in rnn.__doc__
