"""``passband vocoder``: what is done with vocoders themselves."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Layout(StrEnum):
    """How a vocoder's files are laid out."""

    PASSBAND = "passband"
    PUBLISHED = "published"


app = typer.Typer(help="Turn a vocoder's files from one layout to the other.")


@app.callback()
def _vocoder() -> None:
    """Turn a vocoder's files from one layout to the other."""


@app.command("convert")
def convert(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="Folder, or repository of the Hugging Face hub.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DST", help="Folder to write.")],
    to: Annotated[Layout, typer.Option("--to", help="Layout to write.")],
) -> None:
    """Write a vocoder in the other layout, its weights unchanged.

    passband is config.json and model.safetensors; published is config.yaml and pytorch_model.bin,
    which the vocos package reads. SRC may be in either. No code in its files is run.
    """
    from passband.vocoder import convert_to_passband, convert_to_published

    write = convert_to_passband if to is Layout.PASSBAND else convert_to_published
    write(source, folder)
    print(f"{folder}: {to.value} layout")
