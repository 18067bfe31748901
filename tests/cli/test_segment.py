import json

import numpy as np
import pytest

from isocenter.app.image_files import open_labels, save_image
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume


@pytest.fixture
def picture(tmp_path):
    j, i = np.mgrid[:40, :60]
    image = 40 + 150 * ((j - 18) ** 2 + (i - 30) ** 2 <= 100) + np.random.default_rng(0).normal(0, 8, (40, 60))
    save_image(Volume(image.clip(0, 255).astype(np.uint8)[None], Grid.of_pixels((1, 40, 60))), tmp_path / "disc.png")
    return tmp_path / "disc.png"


def test_a_click_makes_a_mask_of_0_and_255(isocenter, picture, tmp_path):
    from isocenter.io.load import load

    code, out, _ = isocenter("segment", "region-growing", picture, tmp_path / "m.png", "--seed", "30,18,0", "--json")
    assert code == 0
    assert json.loads(out)["voxels"]["1"] == pytest.approx(314, abs=25)
    assert set(np.unique(load(tmp_path / "m.png").array)) == {0, 255}


def test_options_may_stand_anywhere_or_in_a_file(isocenter, picture, tmp_path):
    assert isocenter("segment", "--low", "100", "threshold", picture, tmp_path / "a.png")[0] == 0
    (tmp_path / "o.toml").write_text("low = 100\n", encoding="utf-8")
    assert isocenter("segment", "threshold", picture, tmp_path / "b.png", "--config", tmp_path / "o.toml")[0] == 0
    one, two = (open_labels(tmp_path / name).array for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(one, two)
    assert isocenter("segment", "threshold", picture, tmp_path / "c.png", "--low", "-50", "--high=90")[0] == 0
    assert (open_labels(tmp_path / "c.png").array > 0).sum() == (one == 0).sum()


def test_classes_are_numbered(isocenter, picture, tmp_path):
    code, out, _ = isocenter("segment", "multi-otsu", picture, tmp_path / "m.nii.gz", "--classes", 2, "--json")
    assert code == 0
    assert sorted(json.loads(out)["voxels"]) == ["1", "2"]


def test_the_list_names_the_options(isocenter):
    code, out, _ = isocenter("segment", "list")
    assert code == 0
    assert "--neck-mm" in out
    assert "pet-41" in out


@pytest.mark.parametrize(
    "words", [("otsu",), ("nothing", "IN", "OUT"), ("otsu", "IN", "OUT", "--what", "3"), ("otsu", "missing.png", "OUT")]
)
def test_wrong_words_are_one_line(isocenter, picture, tmp_path, words):
    places = {"IN": picture, "OUT": tmp_path / "o.png"}
    code, _, err = isocenter("segment", *(places.get(word, word) for word in words))
    assert code in (2, 3)
    assert err.count("\n") == 1
    assert not (tmp_path / "o.png").exists()
