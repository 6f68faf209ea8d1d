"""Scenarios by name or from a file: the ones that come along, TOML files, and scripts that hold a SCENARIO."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from sim.control import nearest
from sim.scenario import Scenario, scenario_keys
from sim.spelling import Place, read_fields
from sim.tables import read_text

__all__ = ["load_scenario", "scenario_names"]

_HERE = Path(__file__).parent
# Files being read at this moment: one that leads to itself is told of, not followed for ever.
_reading: ContextVar[tuple[Path, ...]] = ContextVar("_reading", default=())
# Folders that scripts imported from, and the modules there were before: later ones from there are read anew, because
# another script's may have the same name, and this one's may have changed.
_folders: dict[Path, frozenset[str]] = {}
_SCRIPT = "_scenario_"  # so begin the names of scripts as modules


def load_scenario(name_or_path: str | Path | Scenario) -> Scenario:
    """Return the scenario of that name, or the one that a file holds.

    Parameters
    ----------
    name_or_path : str or Path or Scenario
        A name of ``scenario_names``, a TOML file (.toml) as ``Scenario.save`` writes it, or a script (.py) that holds a
        ``SCENARIO``, which is run anew, and may import from its own folder. A Scenario is returned as it is.

    Notes
    -----
    A TOML file has a scenario's fields for keys, and lists of tables for levers and models, as ``sim.spelling`` says;
    ``sim.scenario_schema`` describes it for editors. With ``base``, a name or a path from the file's own folder, its
    keys change that scenario as ``Scenario.but`` does; ``based_on`` only names one. Other paths in it (of a theatre, of
    scenarios beside) are kept as they are, and seen from the working folder.

    Raises
    ------
    ValueError, TypeError
        If there is no such name, or the file holds no scenario or a mistake; the message says where.
    OSError
        If there is no such file, or it cannot be read.
    """
    if isinstance(name_or_path, Scenario):
        return name_or_path
    return _load(name_or_path, Path())


def scenario_names() -> dict[str, str]:
    """Return the titles of the scenarios that come along, by name."""
    return {name: _load(name, Path()).title for name in _scripts()}


def _load(name_or_path: str | Path, beside: Path) -> Scenario:
    """Return the scenario; a relative path is looked for *beside* that folder."""
    if not isinstance(name_or_path, (str, Path)):
        raise TypeError(f"load_scenario: must be a name or a path, but was {name_or_path!r}")
    scripts, path = _scripts(), beside / name_or_path
    if str(name_or_path) in scripts:
        return _from_script(scripts[str(name_or_path)], f"sim.scenarios.{name_or_path}", again=False)
    if path.suffix not in (".py", ".toml"):
        raise ValueError(
            f"load_scenario: {str(name_or_path)!r} is no scenario that comes along, nor a path to a .toml or .py file; "
            f"{nearest(name_or_path, scripts)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"load_scenario: no file {str(path)!r}{_near(path)}")
    return _from_table(path) if path.suffix == ".toml" else _from_script(path, _module_name(path), again=True)


def _module_name(path: Path) -> str:
    """Return what the script at *path* is called as a module: scripts of one stem do not displace each other."""
    where = str(path.resolve()).encode("utf-8", "surrogateescape")
    return f"{_SCRIPT}{path.stem}_{blake2b(where, digest_size=4).hexdigest()}"


def _near(path: Path) -> str:
    """Return a hint at the files of that kind in the same folder."""
    if not path.parent.is_dir():
        return f"; there is no folder {str(path.parent)!r}"
    return f"; {nearest(path.name, sorted(each.name for each in path.parent.glob(f'*{path.suffix}')))}"


def _scripts() -> dict[str, Path]:
    """Return the scripts that come along and hold a scenario, by name, unread."""
    # Installed they stand inside the package, in a clone beside it.
    inside = _HERE / "scenarios"
    folder = inside if inside.is_dir() else _HERE.parent / "scenarios"
    return {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if re.search(r"^SCENARIO\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


@contextmanager
def _while_reading(path: Path) -> Iterator[None]:
    """Raise a ValueError if *path* is being read already: its scenario would be made from itself."""
    above, here = _reading.get(), path.resolve()
    if here in above:
        circle = " -> ".join(each.name for each in (*above[above.index(here) :], here))
        raise ValueError(f"{path.name}: is made from itself: {circle}; name another base")
    token = _reading.set((*above, here))
    try:
        yield
    finally:
        _reading.reset(token)


def _from_table(path: Path) -> Scenario:
    """Return the scenario that a TOML file tells."""
    place = Place(path.name)
    try:
        told = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if str(error).startswith(path.name):  # not even text
            raise
        raise ValueError(f"{place}: not TOML: {error}") from None
    if "processes" in told:
        raise ValueError(
            f"{place}: processes are functions, which no TOML file holds; make the scenario in a .py script"
        )
    given = read_fields(Scenario, told, place, known=scenario_keys())
    if "base" in given and "based_on" in given:
        raise ValueError(f"{place}: base is followed and based_on only named, but both were given; keep one")
    base, named = given.pop("base", None), given.pop("based_on", "")
    made_from = None
    if base is not None:
        with _while_reading(path):
            try:
                made_from = _load(base, path.parent)
            except (ValueError, TypeError, OSError) as error:
                raise _like(error)(f"{place['base']}: {error}") from None
    try:
        return Scenario(**given, base=named) if made_from is None else made_from.but(**given)
    except (ValueError, TypeError) as error:
        raise _like(error)(f"{place}: {error}") from None


def _like(error: Exception) -> type[Exception]:
    """Return the class to raise *error* as once more, with its place."""
    return type(error) if isinstance(error, OSError) else TypeError if isinstance(error, TypeError) else ValueError


def _from_script(path: Path, module_name: str, *, again: bool) -> Scenario:
    """Return the SCENARIO of a script, run as a module unless it has been and need not be run *again*."""
    module = None if again else sys.modules.get(module_name)
    if module is None:
        with _while_reading(path):
            module = _run(path, module_name)
    scenario = getattr(module, "SCENARIO", None)
    if scenario is None:
        raise ValueError(f"{path.name}: holds no SCENARIO; write SCENARIO = Scenario(name=…, title=…)")
    if not isinstance(scenario, Scenario):
        raise TypeError(f"{path.name}: SCENARIO must be a Scenario, but was {scenario!r}")
    return scenario


def _run(path: Path, module_name: str) -> ModuleType:
    """Return the module that a script is. Raise a ValueError naming file and line if it fails."""
    module, before = ModuleType(module_name), sys.modules.get(module_name)
    module.__file__ = str(path)
    sys.modules[module_name] = module  # where dataclasses and pickle look for it
    try:
        # Not by way of a loader, which would write compiled code beside the script, and might take it for an older one.
        with _folder_on_path(path):
            exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        if before is None:
            del sys.modules[module_name]
        else:
            sys.modules[module_name] = before
        raise ValueError(_told(path, error)) from error
    return module


@contextmanager
def _folder_on_path(path: Path) -> Iterator[None]:
    """Let the script at *path* import what stands beside it, as it can when run directly, and read that anew."""
    folder = path.resolve().parent
    if folder in [Path(each).resolve() for each in sys.path]:
        yield
        return
    for other, before in _folders.items():
        roots = {name.partition(".")[0] for name in sys.modules}
        helpers = {root for root in roots - before if _stands_in(other, root)}
        for name in [name for name in sys.modules if name.partition(".")[0] in helpers]:
            del sys.modules[name]
    _folders.setdefault(folder, frozenset(sys.modules))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()  # a file may be newer than what is known of the folder
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _stands_in(folder: Path, name: str) -> bool:
    """Return whether the module *name* was imported from a file of *folder*, or is a package in it."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or name.startswith(_SCRIPT):
        return False
    place = Path(file)
    return folder == (place.parent.parent if place.name == "__init__.py" else place.parent)


def _told(path: Path, error: BaseException) -> str:
    """Return where in the script at *path* an error arose, and what it was."""
    if isinstance(error, SyntaxError):
        return f"{path.name} line {error.lineno}: not Python: {error.msg}"
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(path)]
    where = f"{path.name} line {lines[-1]}" if lines else path.name
    if isinstance(error, SystemExit):
        return f"{where}: ends the program when read; put that line below: if __name__ == '__main__':"
    kind = "" if isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: "
    return f"{where}: {kind}{error}"
