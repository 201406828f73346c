"""Throughput of the generator, clips per second: in one process, and in one per core.

    python benchmarks/synthesis.py [--seconds 20] [--live 0.5]

Both measurements alternate, so that other load on the machine affects them alike.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

from mar_edge.edge.runtime.cores import usable_cores
from mar_edge.training.synth.chunks import CHUNK, make_chunk
from mar_edge.training.synth.world import TRAINING

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Throughput of the generator, clips per second.")
    parser.add_argument("--seconds", type=float, default=20, help="duration of each measurement, s")
    parser.add_argument("--live", type=float, default=0.0, help="share of windows cut from recordings, as synth-live")
    arguments = parser.parse_args()
    cores = usable_cores()
    rates: dict[int, list[float]] = {1: [], cores: []}
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_make, range(cores), [0.1] * cores, [arguments.live] * cores))  # starts them
        for turn in range(ROUNDS):
            for processes, measured in rates.items():
                seeds = [100 * turn + process for process in range(processes)]
                made = pool.map(_make, seeds, [arguments.seconds] * processes, [arguments.live] * processes)
                measured.append(sum(made))
    for processes, per_s in rates.items():
        low, middle, high = min(per_s), statistics.median(per_s), max(per_s)
        print(f"{processes} process(es): {middle:.0f} clips/s (median of {ROUNDS}; {low:.0f} to {high:.0f})")


def _make(seed: int, seconds: float, live: float) -> float:
    """Return the clips per second of one process."""
    start = time.perf_counter()
    for number in itertools.count():
        make_chunk(seed, number, live=live, world=TRAINING)
        took = time.perf_counter() - start
        if took > seconds:
            return (number + 1) * CHUNK / took
    raise AssertionError


if __name__ == "__main__":
    main()
