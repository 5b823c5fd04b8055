"""Every system of the index runs, is drawn, and has its example and its test."""

import ast
import inspect
import re
from pathlib import Path

import graphviz
import pytest

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
        assert find(name) == [system]
        assert system in find(name.upper())
    for word in system.words:
        assert system in find(word) and len(find(word)) <= 3
        assert word not in system.names


# What a student types who has heard the name in a lecture, or read it in another book.
TYPED = {
    "计算图 链式法则 反向传播 自动微分 自动求导": "Graphs",
    "按时间展开 权重共享 权值共享": "Graphs",
    "有限状态机 图灵完备 延时神经网络 变长序列": "Networks with memory",
    "隐藏状态 隐状态 简单循环网络 残差连接 零初始化": "Recurrent cells",
    "长短期记忆 长短时记忆网络 门控循环单元 遗忘门 细胞状态 记忆单元": "Gated cells",
    "重置门 更新门 窥视孔 信息高速公路 参数量": "Gated cells",
    "双向 双向LSTM 深层循环网络 堆叠 图神经网络 随机失活": "Other recurrences",
    "编码器解码器 编码器—解码器 序列到序列 注意力 教师强制": "Encoder and decoder",
    "独热编码 词嵌入 词向量 未登录词 掩码 词表": "Inputs and outputs",
    "困惑度 交叉熵": "Losses",
    "梯度爆炸 梯度消失 梯度裁剪 截断 长距离依赖 批量归一化 梯度检验": "Training",
    "机器翻译 看图说话 情感分析 集束搜索 语音识别 写诗 复制任务 雷伯": "Tasks",
    "autodiff, weight tying, loop": "Graphs",
    "finite state machine, 1-D convolution, TDNN": "Networks with memory",
    "vanilla RNN, hidden state, skip connection": "Recurrent cells",
    "cell state, memory cell, constant error carousel, CIFG, peephole": "Gated cells",
    "bi-directional, BiLSTM, stacked LSTM, GNN, message passing": "Other recurrences",
    "seq2seq, encoder decoder, scheduled sampling, attention": "Encoder and decoder",
    "one hot, word embedding, out-of-vocabulary, padding, EOS": "Inputs and outputs",
    "cross entropy, bits per character": "Losses",
    "TBPTT, truncated, gradient checking, layer norm, IRNN, long-term dependencies": "Training",
    "beam search, char-rnn, POS tagging, chatbot, copy task, adding problem, reber": "Tasks",
}


@pytest.mark.parametrize(
    ("word", "part"),
    [
        (word, part)
        for words, part in TYPED.items()
        for word in re.split(r", | (?=[^a-zA-Z])", words)
    ],
)
def test_it_is_found_by_what_a_student_types(word, part):
    assert part in {system.part for system in find(word)}


def test_a_part_of_a_name_finds_all_that_have_it():
    assert [system.english[0] for system in find("peephole")] == ["Peephole LSTM"]
    assert [system.english[0] for system in find("窥视孔")] == ["Peephole LSTM"]
    assert [system.english[0] for system in find(" gru")] == ["GRU"]  # exactly so called
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
    assert main(["systems", "qqqqqq"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_shows_the_way():
    import rnn

    assert "python -m rnn systems" in rnn.__doc__
