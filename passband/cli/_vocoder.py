"""``passband vocoder``: what is done with vocoders themselves."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Layout(StrEnum):
    """How a vocoder's files are laid out."""

    PASSBAND = "passband"
    PUBLISHED = "published"


app = typer.Typer(help="Write a vocoder in another layout, or for another runtime.")


@app.callback()
def _vocoder() -> None:
    """Write a vocoder in another layout, or for another runtime."""


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


@app.command("export")
def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="Run folder, folder of a vocoder, or repository of the Hugging Face hub.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="ONNX file to write.")],
    opset: Annotated[int, typer.Option(help="Version of ONNX's operators, 18 to 23.")] = 18,
) -> None:
    """Write a vocoder as an ONNX model from features to sound, the inverse STFT inside.

    The model takes features (batch, bands, frames) and gives waveform (batch, time).
    """
    from passband.vocoder import Vocos, export_onnx

    vocoder = Vocos.from_pretrained(source)
    export_onnx(vocoder, out, opset=opset)
    print(
        f"{out}: features (batch, {vocoder.channels}, frames) to waveform (batch, time) "
        f"at {vocoder.sample_rate} Hz"
    )
