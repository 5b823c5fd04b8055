"""What the index of systems names is there: an example is about its system, and says so."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import microgrrepresent
import rnn
from rnn import diagnosis
from rnn.systems import systems

ROOT = Path(__file__).parents[2]
SMALL = {"a", "an", "and", "as", "by", "in", "is", "of", "on", "or", "that", "the", "to", "with"}
PUBLIC = {*microgrrepresent.__all__, *rnn.__all__, *diagnosis.__all__}


def stems(text):
    """The words of a text without their endings; Chinese text has one for each character."""
    text = re.sub(r"['’]s\b", "", text.casefold())
    words = re.findall(r"[^\W_\u4e00-\u9fff]+|[\u4e00-\u9fff]", text)
    return {re.sub(r"(?:ing|ed|es|s|e)$", "", word) for word in words} - SMALL


def calls(code):
    """The public functions and the arguments by name in some lines of Python."""
    nodes = list(ast.walk(ast.parse(code)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)} & PUBLIC
    return names | {f"{node.arg}=" for node in nodes if isinstance(node, ast.keyword)}


COMMON = Counter(name for system in systems() for name in calls(system.call))


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.english[0])
def test_an_example_is_about_its_system(system):
    text = (ROOT / system.example).read_text("utf-8")
    paragraphs = [stems(paragraph) for paragraph in re.split(r"\n\s*\n", text)]
    named = [name for name in system.names + system.words if stems(name)]
    said = any(stems(name) <= paragraph for name in named for paragraph in paragraphs)
    own = {name for name in calls(system.call) if COMMON[name] <= 5}
    assert said or any(re.search(rf"\b{name}", text) for name in own)
