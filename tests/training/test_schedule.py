"""Learning rates compared with the published schedule and with torch's one-cycle schedule."""

import msgspec
import numpy as np
import pytest
import torch

from mar_edge.training.recipe import PAPER, SYNTHETIC
from mar_edge.training.schedule import pace


@pytest.mark.parametrize(("steps", "warm_up"), [(7000, 0.1), (100, 0.3), (50, 0.1), (7, 0.5)])
def test_one_cycle_is_torchs(steps, warm_up):
    recipe = msgspec.structs.replace(SYNTHETIC, warm_up=warm_up, steps=steps)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=recipe.lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=steps, pct_start=warm_up)
    for step in range(steps):
        group = optimizer.param_groups[0]
        at = pace(recipe, step, steps)
        assert at.lr == pytest.approx(group["lr"], rel=1e-9, abs=1e-15)
        assert at.beta1 == pytest.approx(group["betas"][0], rel=1e-9)
        optimizer.step()
        if step + 1 < steps:
            schedule.step()


def test_the_rate_of_the_paper_rises_for_20_of_120_epochs_then_falls():
    steps = 120 * 50
    rates = np.array([pace(PAPER, step, steps).lr for step in range(steps)])
    assert rates[0] == pytest.approx(1e-7)
    assert rates[20 * 50] == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-5)
    assert np.argmax(rates) == 20 * 50
    np.testing.assert_allclose(np.diff(rates[: 20 * 50]), rates[1] - rates[0], rtol=1e-6)
    assert (np.diff(rates[20 * 50 :]) < 0).all()
    assert rates[70 * 50] == pytest.approx((1e-3 + 1e-5) / 2, rel=1e-3)
    assert {pace(PAPER, step, steps).beta1 for step in (0, 1000, 5999)} == {0.9}


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 20])
@pytest.mark.parametrize("recipe", [PAPER, SYNTHETIC], ids=["cosine", "one-cycle"])
def test_any_number_of_steps_has_a_rate(recipe, steps):
    for step in range(steps):
        assert 0 < pace(recipe, step, steps).lr <= recipe.lr
