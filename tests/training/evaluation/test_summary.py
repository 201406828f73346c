import pytest

from mar_edge.training.evaluation.summary import figure, lateness, percent


@pytest.mark.parametrize(
    ("predicted", "meant"),
    [
        (percent(0.7234), "72.3 %"),
        (percent(None), "–"),
        (figure(0.7), "0.70"),
        (figure(None), "–"),
        (lateness(0.351), "0.35 s too late"),
        (lateness(-0.1), "0.10 s too early"),
        (lateness(None), "–"),
    ],
)
def test_figures_are_formatted(predicted, meant):
    assert predicted == meant
