"""Pages that need nothing beside them: pictures and sounds stand inside the HTML."""

import base64
import html
import io
from collections.abc import Iterable

from torch import Tensor

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
 body {{ font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; margin: 2rem auto;
   max-width: 1180px; padding: 0 1rem; }}
 h1 {{ font-size: 1.35rem; margin: 0; }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .5rem; }}
 .lead {{ color: #57606a; margin: .2rem 0 1.2rem; overflow-wrap: anywhere; }}
 .figures {{ display: flex; flex-wrap: wrap; gap: 1.6rem; margin: 0 0 1.4rem; }}
 .figures div b {{ display: block; font-size: 1.5rem; font-weight: 600; }}
 .figures div {{ color: #57606a; }} .figures b {{ color: #1b1f24; }}
 .row {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 12px; }}
 figure {{ margin: 0; }} figcaption {{ color: #57606a; font-size: .85rem; }}
 img {{ width: 100%; height: auto; display: block; }}
 table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }}
 th, td {{ text-align: right; padding: .15rem .9rem; border-bottom: 1px solid #d8dee4; }}
 tr.chosen {{ background: #fff1e5; font-weight: 600; }} audio {{ width: 100%; }}
</style></head><body>
{body}
</body></html>
"""


def html_page(title: str, parts: Iterable[str]) -> str:
    """A whole HTML page of ``parts``, one below the other.

    Args:
        title: plain text.
        parts: HTML.

    Example:
        >>> html_page("Passband: a < b", ["<p>good</p>"]).count("a &lt; b")
        1
    """
    return _PAGE.format(title=html.escape(title), body="\n".join(parts))


def html_row(*parts: str) -> str:
    """``parts`` beside each other, as far as the window is wide enough.

    Example:
        >>> html_row("<p>left</p>", "<p>right</p>")
        '<div class="row"><p>left</p><p>right</p></div>'
    """
    return f'<div class="row">{"".join(parts)}</div>'


def html_figure(png: bytes, caption: str) -> str:
    """A picture with its caption, embedded.

    Args:
        png: content of a PNG file.
        caption: plain text.

    Example:
        >>> html_figure(b"...", "Error")[:40]
        '<figure><img alt="Error" src="data:image'
    """
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{html.escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def html_player(samples: Tensor, sample_rate: int) -> str:
    """A player of a sound, embedded as 16-bit WAV.

    Args:
        samples: ``(time,)`` or ``(channels, time)``, full scale 1; clipped to it.
        sample_rate: in Hz.

    Example:
        >>> import torch
        >>> html_player(torch.zeros(100), 8000)[:42]
        '<audio controls src="data:audio/wav;base64'
    """
    import soundfile  # noqa: PLC0415  only sounds need it

    buffer = io.BytesIO()
    values = samples.clamp(-1, 1).numpy().T
    soundfile.write(buffer, values, sample_rate, "PCM_16", format="WAV")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'
