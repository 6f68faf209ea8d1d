"""Between a shell and a call: arguments obeyed, errors as one line and an exit code, progress where somebody looks.

Exit codes: 0 is success, 1 a run that failed, 2 bad input, 130 a run stopped by Ctrl-C, 141 a reader that went away.
"""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import typer

__all__ = ["FAILED", "Tell", "new_app", "obey", "progress"]

FAILED, BAD, STOPPED, UNREAD = 1, 2, 130, 141
#: What long calls tell: what is being done, and the share of it done.
Tell = Callable[[str, float], object]
#: Some versions of Typer bring a Click of their own; this is the UsageError of whichever it is.
_UsageError: Any = typer.BadParameter.__bases__[0]
#: Seconds between two pictures of a bar.
_BLINK = 0.1


def new_app(help: str | None = None, *, completion: bool = False) -> typer.Typer:
    """Return an app whose bugs show a traceback, and whose help is plain: a fancier one takes three times as long."""
    return typer.Typer(
        help=help, add_completion=completion, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def obey(app: typer.Typer, arguments: Sequence[str] | None, name: str) -> int:
    """Let *app*, called *name*, do what *arguments* (``sys.argv`` if None) ask, and return the exit code.

    An error is one line on standard error and begins with the name of the command; a bug shows its traceback.
    """
    command: Any = typer.main.get_command(app)
    if f"_{name}_COMPLETE".replace("-", "_").upper() in os.environ:  # a shell asks how a line might go on
        command.main(prog_name=name)
    given = list(sys.argv[1:] if arguments is None else arguments)
    context: Any = None
    try:
        with command.make_context(name, given or ["--help"] * hasattr(command, "commands")) as context:
            command.invoke(context)
        sys.stdout.flush()
        return 0
    except typer.Exit as end:
        return end.exit_code
    except _UsageError as error:
        return _say(_path(name, context) if error.ctx is None else error.ctx.command_path, _plainer(error), BAD)
    except BrokenPipeError:
        # What is still to be flushed at exit goes nowhere, instead of complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        if not (isinstance(error, OSError) or _meant(error)):
            raise
        return _say(_path(name, context), str(error), FAILED if isinstance(error, RuntimeError) else BAD)
    except KeyboardInterrupt:
        return _say(_path(name, context), "stopped", STOPPED)


def _meant(error: BaseException) -> bool:
    """Return whether *error* was raised by a raise statement of this package: what is not is a bug of ours."""
    last: Any = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    ours = Path(code.co_filename).is_relative_to(Path(__file__).parent)
    return ours and code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _path(name: str, context: Any) -> str:
    return " ".join(filter(None, (name, getattr(context, "invoked_subcommand", None))))


def _plainer(error: Any) -> str:
    if hasattr(error, "possibilities"):
        near = " or ".join(sorted(error.possibilities or ()))
        return f"no option {error.option_name}" + (
            f"; did you mean {near}?" if near else "; --help tells those there are"
        )
    message = str(error.format_message()).rstrip(".")
    if "unexpected extra argument" in message:
        message += "; several values of one option are joined by commas"
    return message


def _say(path: str, message: str, code: int) -> int:
    where = path.removesuffix(".py")
    # A call that is named like its command says so itself.
    print(f"{where}: {message.removeprefix(where.split()[-1] + ': ')}", file=sys.stderr)
    return code


@contextmanager
def progress() -> Iterator[Tell | None]:
    """Give a function that shows progress on a terminal; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    # A bar drawn by a thread of its own would keep processes from being forked: it is drawn when it is told something.
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None)
        drawn = -_BLINK

        def tell(what: str, share: float) -> None:
            nonlocal drawn
            # How long a calibration takes is not known before: the bar pulses until there is a share to show.
            bar.update(task, description=what, completed=share, total=1.0 if share else None)
            if (now := monotonic()) - drawn >= _BLINK:
                drawn = now
                bar.refresh()

        yield tell
