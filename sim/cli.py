"""The command `sweepcast`, and single commands run from scripts of their own: one code for both."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from sim import commands
from sim.terminal import new_app, obey

if TYPE_CHECKING:
    from sim.scenario import Scenario

__all__ = ["alone", "app", "main", "sweepcast"]

_ABOUT = """Project how control of a country's provinces may change hands, from what a report knew on a given day.

A SCENARIO is a built-in name, a .toml file or a .py script. Every command has a --help of its own. Exit codes: 0 done,
1 failed, 2 bad input, 130 stopped by Ctrl-C.
"""
#: By name, in the order of the help.
_COMMANDS: dict[str, Callable[..., None]] = {
    "list": commands.catalogue,
    "run": commands.run,
    "compare": commands.compare,
    "breakeven": commands.breakeven,
    "sensitivity": commands.sensitivity,
    "replay": commands.replay,
    "hindcast": commands.hindcast,
    "schema": commands.schema,
}

app = new_app(_ABOUT, completion=True)
for _name, _command in _COMMANDS.items():
    app.command(_name, short_help=(inspect.getdoc(_command) or "").partition("\n")[0])(_command)


@app.callback(invoke_without_command=True)
def _told(
    version: Annotated[bool, typer.Option("--version", help="Say which version this is, and exit.")] = False,
) -> None:
    if version:
        import sim

        print(f"sweepcast {sim.__version__}")
        raise typer.Exit


def sweepcast(arguments: Sequence[str] | None = None) -> int:
    """Obey *arguments* (``sys.argv`` if None) as the command `sweepcast` does, and return the exit code."""
    return obey(app, arguments, "sweepcast")


def main(scenario: Scenario, arguments: Sequence[str] | None = None) -> int:
    """Run *scenario* as ``sweepcast run`` does, for a script of its own, and return the exit code.

    0 is success, 1 a run that failed, 2 bad input, 130 a run stopped by Ctrl-C.
    """
    return alone("run", f"{scenario.name}.py", arguments, help=scenario.title, scenario=scenario)


def alone(
    command: str, name: str, arguments: Sequence[str] | None = None, *, help: str | None = None, **given: Any
) -> int:
    """Obey *arguments* as one *command* of `sweepcast` does, for a script called *name*, and return the exit code.

    What is *given* of the command's parameters cannot be asked for.
    """
    function = _COMMANDS[command]
    hints = get_type_hints(function, include_extras=True)
    left = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in given
    ]

    def asked(**options: Any) -> None:
        function(**given, **options)

    # Typer reads options off a signature.
    asked.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
    asked.__annotations__ = {parameter.name: parameter.annotation for parameter in left}
    script = new_app()
    script.command(help=help or inspect.getdoc(function))(asked)
    return obey(script, arguments, name)
