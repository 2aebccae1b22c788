"""The commands, and what becomes of their errors."""

import os
import sys
from typing import Annotated, Any

import typer

from passband import __version__
from passband.cli import (
    _classify,
    _compare,
    _denoise,
    _diagnose,
    _doctor,
    _enhance,
    _features,
    _fit,
    _info,
    _match,
    _mesh,
    _render,
    _shortcuts,
    _similar,
    _spectrogram,
    _train,
    _transcribe,
    _vocode,
    _vocoder,
)
from passband.errors import PassbandError

app = typer.Typer(
    name="passband",
    help="Fit, analyse and synthesise signals in the frequencies they are made of.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("fit")(_fit.fit)
app.command("match")(_match.match)
app.command("render")(_render.render)
app.command("mesh")(_mesh.mesh)
app.command("diagnose")(_diagnose.diagnose)
app.command("doctor")(_doctor.doctor)
app.command("spectrogram")(_spectrogram.spectrogram)
app.command("features")(_features.features)
app.command("train")(_train.train)
app.command("compare")(_compare.compare)
app.command("classify")(_classify.classify)
app.command("transcribe")(_transcribe.transcribe)
app.command("denoise")(_denoise.denoise)
app.command("enhance")(_enhance.enhance)
app.command("similar")(_similar.similar)
app.command("shortcuts")(_shortcuts.shortcuts)
app.command("vocode")(_vocode.vocode)
app.add_typer(_vocoder.app, name="vocoder")
app.command("info")(_info.info)


# typer has a copy of click or uses the installed one, by version; its own class leads to both.
_UsageError: Any = typer.BadParameter.__base__
_ClickException: Any = _UsageError.__base__


@app.callback()
def _passband(
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> None:
    """Fit, analyse and synthesise signals in the frequencies they are made of."""
    if version:
        print(f"passband {__version__}")


def main() -> None:
    """Run the command line and exit: 0 done, 1 a bug, 2 bad input, 130 interrupted."""
    arguments = sys.argv[1:] or ["--help"]
    # Read when torch is loaded: its threads, waiting for work, spin on the cores that the compiled
    # kernels' own threads need.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        code = app(arguments, standalone_mode=False)
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "passband"
        _fail(f"{error.format_message().rstrip('.')}. See {command} --help.")
    except _ClickException as error:
        _fail(error.format_message())
    except PassbandError as error:
        _fail(" ".join(str(error).split()))
    except (KeyboardInterrupt, typer.Abort):
        print("passband: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has left: nothing to say and nobody to say it to.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    print(f"passband: {message}", file=sys.stderr)
    sys.exit(2)
