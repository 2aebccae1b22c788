"""Running Triton kernels, or compiling them, on a machine without a GPU.

Each needs a process of its own: whether kernels are interpreted is settled when triton is imported.
A test module runs itself as a script for it, whose folder is on the path.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

_NAMES = {
    torch.float32: "*fp32",
    torch.float16: "*fp16",
    torch.bfloat16: "*bf16",
    torch.int64: "*i64",
}
_OPTIONS = ("num_warps", "num_stages", "enable_fp_fusion")


def run_script(script: str, mode: str, out: Path) -> dict[str, Any]:
    """What ``script`` saves in ``mode``, ``interpret`` or ``compile``; fails with its errors."""
    environment = {**os.environ, "TRITON_INTERPRET": "1" if mode == "interpret" else "0"}
    done = subprocess.run(
        [sys.executable, script, mode, str(out)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = torch.load(out)
    return found


def compute_bfloat16_right() -> None:
    """The interpreter cuts bfloat16 off, and multiplies matrices of it as the integers it keeps."""
    import numpy as np
    from triton.language import bfloat16, float32
    from triton.runtime import interpreter

    convert = interpreter._convert_float

    def nearest(values: Any, source: Any, target: Any, rounding: Any) -> Any:
        if source != float32 or target != bfloat16:
            return convert(values, source, target, rounding)
        bits = np.ascontiguousarray(values).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)

    def wide(handle: Any) -> np.ndarray:
        if handle.dtype.scalar == bfloat16:
            return (handle.data.astype(np.uint32) << 16).view(np.float32)
        return handle.data.astype(np.float32)

    def create_dot(self: object, a: Any, b: Any, d: Any, *precision: object) -> Any:
        return interpreter.TensorHandle(wide(a) @ wide(b) + d.data, d.dtype.scalar)

    interpreter._convert_float = nearest
    interpreter.InterpreterBuilder.create_dot = create_dot


class _CompiledOnly:
    """Stands for a kernel; a launch compiles it for the arguments given and runs nothing."""

    def __init__(self, kernel: Any, capability: int, done: dict[str, int]) -> None:
        self.kernel, self.capability, self.done = kernel, capability, done

    def __getitem__(self, grid: object) -> Any:
        return self.launch

    def launch(self, *arguments: Any, **constants: Any) -> None:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource

        options = {name: constants.pop(name) for name in _OPTIONS if name in constants}
        given = dict(zip(self.kernel.arg_names, arguments, strict=False)) | constants
        signature, fixed, aligned = {}, {}, {}
        for index, name in enumerate(self.kernel.arg_names):
            value = given[name]
            if isinstance(value, torch.Tensor):
                signature[name] = _NAMES[value.dtype]
                aligned[(index,)] = [["tt.divisibility", 16]]
            elif name in constants or value is None or value == 1:  # as a launch treats a one
                signature[name], fixed[name] = "constexpr", value
            else:
                signature[name] = "i32"
        source = ASTSource(self.kernel, signature, fixed, aligned)
        target = GPUTarget("cuda", self.capability, 32)
        compiled = triton.compile(source, target=target, options=options)
        name = f"{self.kernel.__name__} {len(self.done)}"
        self.done[name] = compiled.metadata.shared


def compile_instead_of_launch(modules: dict[ModuleType, list[str]], capability: int) -> dict:
    """Replace kernels, by the module and the names they have there; return what gets compiled."""
    done: dict[str, int] = {}
    for module, names in modules.items():
        for name in names:
            setattr(module, name, _CompiledOnly(getattr(module, name), capability, done))
    return done
