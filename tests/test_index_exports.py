"""What the package offers, and that offering it costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import index


def test_every_listed_name_is_there_and_comes_from_this_project():
    root = Path(index.__file__).resolve().parent
    assert root.parent == Path(__file__).resolve().parent.parent
    for name in index.__all__:
        value = getattr(index, name)
        module = sys.modules[value.__module__]
        assert Path(module.__file__).resolve().is_relative_to(root), name


def test_the_list_is_the_same_as_the_imports_that_type_checkers_see():
    tree = ast.parse(Path(index.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("index.")
        for alias in node.names
    }
    assert seen == {name: index._HOMES[name] for name in index.__all__}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = index.nonsense


def test_importing_everything_loads_no_model_library():
    code = (
        "import sys, index\nfor name in index.__all__: getattr(index, name)\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'faiss', 'gradio', 'sentencex', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(index.__file__).resolve().parent.parent
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_products_of_many_shapes_are_not_all_kept():
    """Where oneDNN compiles them (bfloat16 with AVX-512), a thousand take 600 MB; elsewhere nothing is to be seen."""
    code = (
        "import index, torch, psutil\n"
        "weight = torch.ones(512, 512, dtype=torch.bfloat16)\n"
        "def multiply(*counts):\n"
        "    for count in range(*counts): torch.nn.functional.linear(weight[:1].expand(count, -1), weight)\n"
        "def resident(): return psutil.Process().memory_info().rss / 1e6\n"
        "multiply(1, 200)\n"
        "before = resident()\n"
        "multiply(200, 1000)\n"
        "print(resident() - before)"
    )
    root = Path(index.__file__).resolve().parent.parent
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=99)
    assert float(run.stdout) < 250
