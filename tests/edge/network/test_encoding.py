"""The encodings against their formulas."""

import numpy as np
import torch

from mar_edge.edge.network.encoding import contact_encoding, encode, motion_encoding


def test_motion_encoding_is_the_formula():
    x = np.random.default_rng(0).normal(0, 0.2, (3, 64, 5, 2))  # (B, 64, V, 2), the order of the formula
    c = x - x.mean(axis=1, keepdims=True)
    d = np.concatenate([np.zeros_like(c[:, :1]), np.diff(c, axis=1)], axis=1)
    place = 0.5 * np.sign(c) * np.log(1 + 50 * np.abs(c))
    step = 0.4 * np.sign(d) * np.log(1 + 300 * np.abs(d))
    expected = np.concatenate([x, place, step], axis=-1).transpose(0, 3, 1, 2)
    encoded = motion_encoding(torch.from_numpy(x).permute(0, 3, 1, 2))
    assert encoded.shape == (3, 6, 64, 5)
    np.testing.assert_allclose(encoded.numpy(), expected, atol=1e-12)


def test_the_motion_channels_of_a_person_at_rest_are_zero():
    x = torch.rand(1, 2, 1, 44).expand(1, 2, 64, 44)
    encoded = motion_encoding(x)
    torch.testing.assert_close(encoded[:, :2], x)
    assert encoded[:, 2:].abs().max() < 1e-4


def test_contact_encoding_is_the_formula():
    x = np.random.default_rng(1).normal(0, 0.3, (3, 64, 5, 2))  # (B, 64, V, 2)
    expected = []
    for landmark in (4, 1):
        d = x - x[:, :, landmark : landmark + 1]
        expected.append(0.25 * np.sign(d) * np.log(1 + 50 * np.abs(d)))
    images = torch.from_numpy(x).permute(0, 3, 1, 2)
    encoded = contact_encoding(images, torch.tensor([4, 1]))
    assert encoded.shape == (3, 4, 64, 5)
    np.testing.assert_allclose(encoded.numpy(), np.concatenate(expected, -1).transpose(0, 3, 1, 2), atol=1e-12)
    assert not encoded[:, :2, :, 4].any()
    assert not encoded[:, 2:, :, 1].any()


def test_each_encoding_has_the_channels_of_the_one_before_it_and_more():
    x, landmarks = torch.rand(2, 2, 64, 44), torch.tensor([29, 1, 9])
    raw, motion, contact = (encode(x, name, landmarks) for name in ("raw", "motion", "contact"))
    assert [part.shape[1] for part in (raw, motion, contact)] == [2, 6, 12]
    assert torch.equal(motion[:, :2], raw)
    assert torch.equal(contact[:, :6], motion)
