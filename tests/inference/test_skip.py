import torch

from medseg.inference import ConstantWindows, OutsideBody

RULE = OutsideBody(above=0.4)


def box(*ranges):
    return [slice(a, b) for a, b in ranges]


def trunk():
    """A body with lungs of air in it, a table below, and noise around."""
    volume = 0.05 * torch.rand(1, 64, 64, 32)
    volume[:, 20:48, 24:52] = 0.8
    volume[:, 28:40, 32:44] = 0.0
    volume[:, :, 8:12] = 0.9
    return volume


def test_a_window_of_one_value_is_not_wanted():
    volume = torch.zeros(2, 8, 8)
    volume[1, 6, 6] = 1
    wanted = ConstantWindows()(volume)
    assert not wanted(box((0, 4), (0, 4)))
    assert wanted(box((4, 8), (4, 8)))


def test_a_window_beside_the_body_is_not_wanted_although_it_shows_noise_and_the_table():
    wanted = RULE(trunk())
    assert not wanted(box((0, 12), (0, 12), (0, 16)))
    assert wanted(box((12, 24), (20, 32), (0, 16)))


def test_a_window_inside_the_lungs_is_wanted():
    assert RULE(trunk())(box((30, 38), (34, 42), (8, 16)))


def test_where_no_body_is_found_every_window_is_wanted():
    assert RULE(torch.zeros(1, 16, 16, 16))(box((0, 4), (0, 4), (0, 4)))
