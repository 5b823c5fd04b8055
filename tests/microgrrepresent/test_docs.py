"""Every example in a docstring of the two packages runs and gives what it says."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import microgrrepresent
import rnn
from microgrrepresent.primitive import registry

MODULES = sorted(
    found.name
    for package in (microgrrepresent, rnn)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not found.name.endswith("__main__")
)


def test_there_are_modules():
    assert {"microgrrepresent.tensor", "microgrrepresent.ops.shapes", "rnn.module"} <= set(MODULES)


@pytest.mark.parametrize("name", ["microgrrepresent", "rnn", *MODULES])
def test_the_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # for examples that write a file
    if name.startswith("microgrrepresent.drawing.output.pptx"):
        pytest.importorskip("pptx", reason="pip install '.[slides]'")
    module = importlib.import_module(name)
    before = dict(registry)
    try:
        failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    finally:  # an example that declares a primitive can run again
        registry.clear()
        registry.update(before)
    assert failed == 0


def test_the_examples_are_found():
    """Docstrings of primitives and lambdas are no functions' docstrings; these must be found."""
    for name in ("gradients", "check", "ops.shapes"):
        module = importlib.import_module(f"microgrrepresent.{name}")
        assert any(test.examples for test in doctest.DocTestFinder().find(module)), name


@pytest.mark.parametrize("package", [microgrrepresent, rnn], ids=lambda p: p.__name__)
def test_what_is_public_is_listed_and_documented(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__doc__, name


def test_imports_run_one_way():
    """The engine never imports rnn, and its lower files never import its upper ones."""
    order = ["errors", "node", "primitive", "ops", "numpy_functions", "tensor", "graph", "sweep",
             "adjoints", "check"]  # fmt: skip
    root = Path(microgrrepresent.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith("rnn"), path
    for i, name in enumerate(order):
        paths = (root / name).glob("*.py") if name == "ops" else [root / f"{name}.py"]
        for path in paths:
            tree = ast.parse(path.read_text())
            for node in tree.body:  # at the top of the file
                if isinstance(node, ast.ImportFrom) and node.module:
                    _, _, imported = node.module.partition("microgrrepresent.")
                    first = imported.split(".")[0]
                    assert first not in order[i + 1 :], (path, first)


def test_what_is_loaded_later_is_still_there():
    code = """if True:
        import sys, microgrrepresent
        later = {"graphviz", "microgrrepresent.recurrence", "microgrrepresent.check"}
        assert not later & set(sys.modules)
        assert set(microgrrepresent.__all__) <= set(dir(microgrrepresent))
        from microgrrepresent import *
        assert set(microgrrepresent.__all__) <= set(globals())
        try:
            microgrrepresent.nonsense
        except AttributeError as error:
            assert "no attribute 'nonsense'" in str(error)
        else:
            raise AssertionError
    """
    subprocess.run([sys.executable, "-c", code], check=True)
