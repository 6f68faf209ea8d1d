"""The house: an import goes only upward, the top level is as the user fixed it, and importing sim is cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# The table of rooms in docs/architecture.md is the rule: a room imports only from rooms above it in that table.
ROOMS = re.findall(r"^\|[^|]*\| `([a-z_/]+)\.py` \|", DOC, flags=re.MULTILINE)
ORDER = {room.replace("/", "."): position for position, room in enumerate(ROOMS)}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "sim").with_suffix("").parts)


def _imports(path: Path) -> set[str]:
    """Rooms that *path* imports when it runs; what only a type checker imports does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inside)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inside in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sim":
            base = (node.module or "").removeprefix("sim").removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".removeprefix(".")
                found.add(inner if inner in ORDER else base)
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("sim.") for a in node.names if a.name.startswith("sim.")}
    return found - {""}


SOURCES = [path for path in sorted((ROOT / "sim").rglob("*.py")) if path.name != "__init__.py"]


def test_every_room_stands_in_the_table_and_the_table_names_no_other():
    assert {_module(path) for path in SOURCES} == set(ORDER)


@pytest.mark.parametrize("path", SOURCES, ids=_module)
def test_an_import_goes_only_upward(path):
    room = _module(path)

    assert [other for other in _imports(path) if ORDER[other] >= ORDER[room]] == []


def test_only_the_engines_know_simpy():
    users = [_module(path) for path in SOURCES if re.search(r"^(import|from) simpy", path.read_text(), re.MULTILINE)]

    assert users == ["engines.simpy_engine"]


def test_the_top_level_is_as_fixed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if not any(listed):
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in listed if name}

    assert {"sim", "scenarios", "examples", "tests", "pyproject.toml", "README.md"} <= top
    allowed = {"docs", ".ci", "LICENSE", "CHANGELOG.md", "CITATION.cff", ".gitignore", ".gitattributes"}
    assert top - {"sim", "scenarios", "examples", "tests", "pyproject.toml", "README.md"} <= allowed


def _loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_sim_loads_nothing_heavy():
    assert _loaded_by("import sim").isdisjoint({"numpy", "numba", "scipy", "simpy", "matplotlib", "xarray", "emcee"})


def test_the_verbs_load_no_library_of_files():
    loaded = _loaded_by("import sim\nsim.simulate, sim.open_ensemble, sim.rerun, sim.Ensemble")

    assert loaded.isdisjoint({"xarray", "h5netcdf", "h5py", "pandas"})


def test_every_public_name_is_there_and_is_listed():
    import sim

    assert sorted(sim.__all__) == dir(sim)
    for name in sim.__all__:
        assert getattr(sim, name).__name__.removeprefix("sim.") == name


def test_a_public_verb_is_not_hidden_by_a_room_of_the_same_name():
    code = "import sim.simulation, sim.calibration, sim; assert callable(sim.simulate) and callable(sim.calibrate)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_misspelt_public_name_is_an_attribute_error():
    import sim

    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'simulat'"):
        _ = sim.simulat
