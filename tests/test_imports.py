"""Imports run one way, lazy ones counted; those for types only (``if TYPE_CHECKING``) are not.

What a module imports is read from its source, wherever it stands there. A package's ``__init__``
lists what its users may import, so it is the last of its package; that Python runs it first is no
arrow.
"""

import ast
import builtins
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import microgrrepresent
import rnn

ROOT = Path(__file__).parent.parent

# Each imports only what stands before it. A folder stands for all files in it. A file that is not
# in a list may stand anywhere, but arrows are followed through it.
ENGINE = [
    *("errors", "files", "place", "blocks", "scopes", "node", "arrays", "operands", "description"),
    *("parts", "primitive", "ops"),
    *("sums", "pullbacks", "schedule", "broken_rules", "sweep", "gradients"),
    *(
        "numpy_functions",
        "absent",
        "array_methods",
        "tensor",
        "graph_json",
        "listing",
        "graph",
        "adjoints",
    ),
    *("norms", "check"),
    *("recurrence", "equations", "programs", "drawing"),
]
DRAWING = ["time", "marks", "views", "layout", "output", "page"]
RNN = [
    *("errors", "initialize", "inputs", "parameters", "absent", "module", "cells", "layers"),
    "sequences",
    *("diagnosis", "training", "models", "weights", "command_line"),
]


def files():
    """All modules of the two packages, by dotted name."""
    found = {}
    for package in ("microgrrepresent", "rnn"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES = files()


def imported(tree, module):
    """The modules that a module imports, at once or later."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: a relative import"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from {name if name in FILES else node.module for name in names} & set(FILES)
        elif isinstance(node, ast.Constant) and FILES[module].name == "__init__.py":
            # import_module(f"{__name__}.{_LATER[name]}"): the tables of names that come later
            yield from {f"{module}.{node.value}"} & set(FILES)


ARROWS = {
    module: set(imported(ast.parse(path.read_text("utf-8")), module)) - {module}
    for module, path in FILES.items()
}


def rank(module, package, order):
    """Where a module stands in the order of a package: its ``__init__`` last; None: anywhere."""
    if module == package:
        return len(order)
    room = module.removeprefix(f"{package}.").split(".")[0]
    return order.index(room) if room in order else None


def reached(module, package, order):
    """What is imported of what is in the order, directly or through files that are not in it."""
    todo, seen = list(ARROWS[module]), set()
    while todo:
        other = todo.pop()
        if other in seen or not f"{other}.".startswith(f"{package}."):
            continue
        seen.add(other)
        if rank(other, package, order) is None:
            todo += ARROWS[other]
        else:
            yield other


def test_imports_are_seen():
    assert len(FILES) > 100
    assert "microgrrepresent.node" in ARROWS["microgrrepresent.primitive"]
    assert "microgrrepresent.drawing.output.notebook" in ARROWS["microgrrepresent"]  # a lazy one
    assert "microgrrepresent.recurrence" in ARROWS["microgrrepresent"]  # by the table of names
    assert "microgrrepresent.tensor" not in ARROWS["microgrrepresent.gradients"]  # for types only


def test_no_files_import_each_other_in_a_circle():
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize(
    ("package", "order"),
    [("microgrrepresent", ENGINE), ("microgrrepresent.drawing", DRAWING), ("rnn", RNN)],
    ids=["engine", "drawing", "rnn"],
)
def test_imports_run_down_the_list(package, order):
    inside = [m for m in FILES if f"{m}.".startswith(f"{package}.")]
    ranks = {m: rank(m, package, order) for m in inside}
    against = {
        (module, other)
        for module in inside
        if ranks[module] is not None
        for other in reached(module, package, order)
        if ranks[other] > ranks[module]
    }
    assert not against


def test_the_engine_knows_nothing_of_rnn():
    assert not [
        (module, other)
        for module, others in ARROWS.items()
        for other in others
        if module.startswith("microgrrepresent") and other.split(".")[0] == "rnn"
    ]


def test_a_star_import_leaves_the_builtins_alone():
    names = {}
    exec("from microgrrepresent import *; from rnn import *", names)
    assert {"tanh", "Tensor", "draw", "GRU"} <= set(names)
    assert not [name for name in names if hasattr(builtins, name) and name[0] != "_"]
    for name in ("sum", "max", "min", "abs", "pow"):
        assert getattr(microgrrepresent, name) is not getattr(builtins, name)


def test_every_name_that_is_listed_is_there():
    for package in (microgrrepresent, microgrrepresent.ops, rnn):
        assert len(package.__all__) == len(set(package.__all__))
        assert not [name for name in package.__all__ if not hasattr(package, name)]


def test_the_plan_of_the_house_names_every_file():
    plan = (ROOT / "CONTRIBUTING.md").read_text()
    for package in ("microgrrepresent", "rnn"):
        for path in (ROOT / package).iterdir():
            if path.name.startswith("__") or path.name in ("data", "py.typed"):
                continue
            word = f"{path.name}/" if path.is_dir() else path.name
            assert re.search(rf"[/`]{re.escape(word)}", plan), path
