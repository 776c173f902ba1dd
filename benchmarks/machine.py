"""What the machine tells: its name, its ceiling, and the memory that a run takes."""

import ctypes
import gc
import os
import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch

Result = TypeVar("Result")


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


@cache
def matrix_rate(device: str) -> float:
    """Operations per second of a large float32 matrix product here: the ceiling that a network could reach."""
    n = 2048 if device == "cpu" else 8192
    a = torch.rand(n, n, device=device)
    best = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        a @ a
        synchronise(device)
        best = min(best, time.perf_counter() - started)
    return 2 * n**3 / best


def synchronise(device: str) -> None:
    """Wait for the device, so that a clock tells the truth."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def timed(run: Callable[[], Result], device: str) -> tuple[Result, float]:
    """What a run returns, and its seconds."""
    started = time.perf_counter()
    result = run()
    synchronise(device)
    return result, time.perf_counter() - started


def memory(run: Callable[[], object], device: str) -> float:
    """MiB that a run takes at its peak beyond what was taken before; NaN if the system cannot tell.

    Not to be timed: it starts with the memory of earlier runs given back, and asking the system for it anew costs time.
    """
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    clear, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not os.access(clear, os.W_OK) or platform.libc_ver()[0] != "glibc":
        return float("nan")
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or memory held back from earlier runs would serve this one unseen
    clear.write_text("5")  # resets the peak of the resident size
    before = resident(status, "VmRSS")
    run()
    return (resident(status, "VmHWM") - before) / 1024


def resident(status: Path, field: str) -> int:
    """KiB, from the process's status file."""
    return int(next(line for line in status.read_text().splitlines() if line.startswith(field)).split()[1])
