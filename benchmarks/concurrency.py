"""Statistics of concurrent actions in synthetic recordings, next to interviews.

    python benchmarks/concurrency.py [--recordings 400]

Seated people in full view, as in MMA-52. Nothing is rendered.
"""

from __future__ import annotations

import argparse

from mar_edge.training.synth.density import GROUPS, REAL_AT_ONCE, REAL_OVERLAP, measure_density


def main() -> None:
    parser = argparse.ArgumentParser(description="Concurrent labels and overlapping groups.")
    parser.add_argument("--recordings", type=int, default=400, help="number of recordings of 20 s")
    density = measure_density(parser.parse_args().recordings)
    print("concurrent labels, percent of the time: synthetic (interviews)")
    for count, (made, real) in enumerate(zip(density.at_once, REAL_AT_ONCE, strict=False)):
        print(f"  {count}: {made:.1f} ({real:.0f})")
    print(f"  4 or more: {density.at_once[4:].sum():.1f}")
    print(f"events per minute: {density.a_minute.sum():.1f}")
    print("share of the events of each group that overlap another group: synthetic (interviews)")
    print(f"  {'':<12}" + "".join(f"{group:>14}" for group in GROUPS))
    for group, made_row, real_row in zip(GROUPS, density.overlap, REAL_OVERLAP, strict=True):
        cells = (f"{made:.2f} ({real:.2f})" for made, real in zip(made_row, real_row, strict=True))
        print(f"  {group:<12}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
