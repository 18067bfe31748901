import pytest

from isocenter.core.errors import InputError
from isocenter.learning.data import load_mask
from isocenter.learning.datasets_hc18 import list_examples


@pytest.mark.data
def test_heads_are_listed_with_size_and_a_case_is_one_group(data_dir):
    dataset = list_examples(data_dir / "hc18_fetal_head_us", {})
    assert len(dataset.examples) == 358 and dataset.classes == ()
    groups = {}
    for example in dataset.examples:
        groups.setdefault(example.key.split("/")[1][:3], set()).add(example.group)
        assert 0.1 < example.facts["pixel_size_mm"] < 1 and 50 < example.facts["head_circumference_mm"] < 350
    assert all(len(each) == 1 for each in groups.values())
    assert load_mask(dataset.examples[0], ()).array.mean() > 0.02


def test_options_are_refused(tmp_path):
    with pytest.raises(InputError, match="no options"):
        list_examples(tmp_path, {"half": 1})
