"""The presets match the publication and the package's model; invalid recipes are refused."""

import msgspec
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.job import MmnJob
from mar_edge.training.recipe import FINE_TUNE, PAPER, PRESETS, SYNTHETIC, Recipe
from mar_edge.training.run_folder import RunConfig


def test_the_authors_configuration():
    assert (PAPER.lr, PAPER.last_lr, PAPER.first_lr, PAPER.weight_decay) == (1e-3, 1e-5, 1e-7, 0.1)
    assert (PAPER.epochs, PAPER.warm_up * PAPER.epochs, PAPER.batch) == (120, 20, 64)
    assert (PAPER.label_smoothing, PAPER.dropout, PAPER.drop_path) == (0.1, 0.1, 0.3)
    assert (PAPER.width, PAPER.depths, PAPER.encoding, PAPER.schedule) == (96, (3, 3, 3, 3), "raw", "cosine")


def test_no_preset_reverses_clips():
    assert {recipe.augmentation.reverse for recipe in PRESETS.values()} == {0.0}


def test_a_recipe_is_read_as_it_was_written():
    for recipe in PRESETS.values():
        assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
    assert FINE_TUNE.lr < PAPER.lr
    assert SYNTHETIC.steps == 6000


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"epochs": 3, "steps": 5}, "takes either epochs or steps"),
        ({"epochs": None}, "takes either epochs or steps"),
        ({"epochs": 0}, "at least 1"),
        ({"batch": 1}, "at least 2 clips, not 1"),
        ({"width": 40}, "--width is a multiple of 16, not 40"),
        ({"width": 0}, "--width is a multiple of 16, not 0"),
        ({"depths": (1, 1, 0, 1)}, "--depths is four whole numbers"),
        ({"lr": 0.0}, "a learning rate is a number above 0, not 0.0"),
        ({"lr": float("nan")}, "a learning rate"),
        ({"weight_decay": -1.0}, "a weight decay"),
        ({"drop_path": 1.0}, "drop_path is from 0 to below 1, not 1.0"),
    ],
)
def test_invalid_recipes_are_refused(changes, expected):
    with pytest.raises(MarEdgeError, match=expected.replace("(", r"\(")):
        msgspec.structs.replace(PAPER, **changes)


def test_small_data_sets_get_more_epochs():
    def steps(clips: int, recipe: Recipe) -> int:
        return MmnJob(RunConfig(recipe=recipe), SyntheticDataset(1, clips), SyntheticDataset(2, 16)).steps

    assert steps(100, FINE_TUNE) == 134 * 3
    assert steps(32 * 300, FINE_TUNE) == 30 * 300
    assert steps(100, PAPER) == 120
    assert steps(100, SYNTHETIC) == 6000
