"""Numbered tasks over a few threads, for compiled code that releases the interpreter.

numba's own threads are not used: one of its three layers aborts the process when two threads call
at once, another in a forked child, and compiling for them takes three times as long.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch


def run_tasks(task: Callable[[int], None], count: int) -> None:
    """Call ``task(0)`` to ``task(count - 1)``, on ``torch.get_num_threads()`` threads at most.

    The caller is one of them. Each takes the next number when it is done with the last.
    """
    numbers = iter(range(count))

    def work() -> None:
        for number in numbers:
            task(number)

    helpers = min(torch.get_num_threads(), count) - 1
    waiting = [_pool().submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for helper in waiting:
            if not helper.cancel():
                helper.result()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="passband")


if hasattr(os, "register_at_fork"):  # threads do not live on in a forked child
    os.register_at_fork(after_in_child=_pool.cache_clear)
