"""Twenty malformed files: each is answered with a place, soon, and without a traceback."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from enasdsl.cli import main
from enasdsl.source import shipped

LIMIT = 2.0  # seconds
MICRO = (shipped("spaces") / "micro.enas").read_text("utf-8")
NODE = "    a, b = choose 2 from earlier with repeats\n"


def changed(old: str, new: str) -> bytes:
    """The micro space with one thing spoilt."""
    assert MICRO.count(old) >= 1, old
    return MICRO.replace(old, new, 1).encode()


FILES: dict[str, tuple[bytes, str]] = {
    "missing brace": (
        changed("  }\n  concat(loose with inputs)", "  concat(loose with inputs)"),
        "E0102",
    ),
    "unknown operation": (changed("sep_conv(3)", "sepcnv(3)"), "E0203"),
    "misspelt keyword": (changed("choose 2 from earlier", "chose 2 from earlier"), "E01"),
    "missing argument": (changed("avg_pool(3)", "avg_pool"), "E0207"),
    "too many arguments": (changed("max_pool(3)", "max_pool(3, 3, 3, 3)"), "E0207"),
    "wrong arity": (changed("(a -> f) + (b -> g)", "(a, b -> f) + (b -> g)"), "E0302"),
    "later node": (
        b"space s\ncell c(x) {\n  node 1 { b -> relu }\n  b = x -> relu\n  b\n}\n",
        "E0228",
    ),
    "choose 3 from two": (
        b"space s\ncell c(x) { sum(x -> f for f in choose 3 from [relu, tanh]) }\n",
        "E0401",
    ),
    "empty list": (b"space s\nops candidate = []\ncell c(x) { x -> choose candidate }\n", "E0402"),
    "duplicate name": (changed("param filters", "param B"), "E0201"),
    "duplicate alternative": (changed("sep_conv(5)", "sep_conv( 3 )"), "E0230"),
    "mismatched channels": (
        b"space s\ncell c(x) { (x -> conv(3, filters: 8)) + (x -> conv(3, filters: 9)) }\n",
        "E0301",
    ),
    "stride that does not fit": (
        changed("conv(3, filters: 3 * filters)", "conv(3, stride: 64)"),
        "E0301",
    ),
    "negative param": (changed("param filters = 20", "param filters = -20"), "E0223"),
    "value out of range": (changed("param B = 7", "param B = 70"), "E0222"),
    "unknown recipe key": (changed("controller {", "controler {"), "E0610"),
    "not UTF-8": (b"space s\ncell c(x) { x -> relu }  # \xff\xfe\n", "E01"),
    "empty": (b"", "E01"),
    "10 MB": (b"# " + b"x" * 78 + b"\n" + (b"param p = 1 # " + b"y" * 66 + b"\n") * 125_000, "E01"),
    "a billion nodes": (
        b"space s\nparam N = 1000000000\n"
        b"cell c(x) { node i in 1..N { previous -> relu }\n sum(loose) }\n",
        "E0501",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file_is_answered(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, code = FILES[name]
    path = tmp_path / "space.enas"
    path.write_bytes(content)
    start = time.process_time()
    assert main(["check", str(path)]) == 1
    assert time.process_time() - start < LIMIT
    shown = capsys.readouterr()
    assert f"error[{code}" in shown.err
    assert re.search(r"space\.enas(:\d+:\d+)?", shown.err)
    assert "Traceback" not in shown.out + shown.err


def test_there_are_twenty() -> None:
    assert len(FILES) == 20
