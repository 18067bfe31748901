import json

import pytest

from isocenter.app.explain_files import explain_paths
from isocenter.core.errors import InputError
from isocenter.io.raster import write_png


def test_a_map_is_written_with_its_scores(tmp_path, blobs, case_seeing):
    write_png(blobs, tmp_path / "a.png")
    models = case_seeing("BreastUS").models
    rows, failures = explain_paths(
        [tmp_path / "a.png"], tmp_path / "maps", task="breast-us", method="cam", models=models
    )
    assert failures == [] and rows[0]["class"] == "malignant"
    assert json.loads((tmp_path / "maps/a.json").read_text(encoding="utf-8")) == rows[0]


def test_only_classifiers_are_explained(tmp_path, case_seeing):
    with pytest.raises(InputError, match="expected one of breast-us"):
        explain_paths([], tmp_path, task="intake", method="cam", models=case_seeing("Hand").models)
