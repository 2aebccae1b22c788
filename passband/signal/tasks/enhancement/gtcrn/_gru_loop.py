"""All steps of a gated recurrence in one compiled loop."""

from typing import Any, no_type_check

import numba
import numpy as np

_ONE = np.float32(1.0)


def _compiled(function: Any) -> Any:
    """Compile at first call, keep the result on disk, run without the interpreter's lock."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no folder it may write to
        return numba.njit(nogil=True)(function)


@_compiled
@no_type_check
def scan(inward, recurrent, bias, backward, state, out):
    """Steps of ``inward`` ``(sequences, steps, 3 hidden)``, the input's part of all three gates.

    ``state`` ``(sequences, hidden)`` goes from that before the first step to that after the last;
    ``out`` ``(sequences, steps, hidden)`` takes it after each. In the order of torch's weights:
    gate of the reset, gate of the update, candidate.
    """
    sequences, steps, _ = inward.shape
    hidden = state.shape[1]
    own = np.empty(3 * hidden, np.float32)
    for item in range(sequences):
        h = state[item]
        for count in range(steps):
            step = steps - 1 - count if backward else count
            for j in range(3 * hidden):
                total = bias[j]
                for k in range(hidden):
                    total += recurrent[j, k] * h[k]
                own[j] = total
            gates = inward[item, step]
            for j in range(hidden):
                reset = _ONE / (_ONE + np.exp(-(gates[j] + own[j])))
                update = _ONE / (_ONE + np.exp(-(gates[hidden + j] + own[hidden + j])))
                candidate = np.tanh(gates[2 * hidden + j] + reset * own[2 * hidden + j])
                h[j] = candidate + update * (h[j] - candidate)
                out[item, step, j] = h[j]
