"""The figures of a model card in Markdown, from results of ``mar-edge evaluate``: real people first.

``mar-edge evaluate MODEL --data truth:FOLDER --out real``

``mar-edge evaluate MODEL --streaming 20 --idle 15 --concurrent 20 --out synthetic``

``python benchmarks/model_card.py real/scores.json synthetic/scores.json``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from mar_edge.training.evaluation.report import Evaluation, render_card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", nargs="+", type=Path, help="scores.json of evaluations of one model")
    evaluations = [msgspec.json.decode(path.read_bytes(), type=Evaluation) for path in parser.parse_args().scores]
    models = {(one.model.name, one.model.sha256) for one in evaluations}
    if len(models) > 1:
        parser.error(f"the scores are of {len(models)} models; a card describes one")
    print(render_card(evaluations), end="")


if __name__ == "__main__":
    main()
