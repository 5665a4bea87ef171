"""Rows of small bars: heights are shares of the largest size, and bars of one layer stand below each other."""

from explorer.render.small_bars import SmallBars


def test_heights_are_shares_of_the_largest_size_and_signs_do_not_matter() -> None:
    assert SmallBars(0, 3).row([(0, 0.0), (1, 0.25), (2, -0.5), (3, 1.0)]) == " ▂▄█"
    assert SmallBars(0, 3).row([(0, 0.0), (1, 0.25), (2, -0.5), (3, 1.0)], ascii_only=True) == " _=#"


def test_a_layer_has_its_place_whichever_layers_a_row_has() -> None:
    bars = SmallBars(0, 3)
    assert (bars.name, SmallBars(2, 2).name) == ("layers 0 to 3", "layer 2")
    assert bars.row([(1, 1.0), (2, 1.0), (3, 1.0)]) == " ███"
    assert bars.row([]) == bars.row([(1, 0.0)]) == ""


def test_bars_of_deep_models_stand_for_several_layers() -> None:
    bars = SmallBars(0, 48)
    row = bars.row([(layer, float(layer == 40)) for layer in range(49)])
    assert (bars.each, len(row), bars.width) == (3, 17, 17)
    assert row.index("█") == 40 // 3
