import pytest

from isocenter.core.errors import InputError
from isocenter.learning.datasets_busi import CLASSES, list_examples


def write_table(folder, rows):
    lines = ["file,label,near_dup_group,original_width,original_height", *rows]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_pictures_that_are_nearly_the_same_share_a_group(tmp_path):
    write_table(
        tmp_path, ["benign/a.jpg,benign,4,256,256", "benign/b.jpg,benign,4,256,256", "normal/c.jpg,normal,5,1,1"]
    )
    dataset = list_examples(tmp_path, {})
    assert [example.group for example in dataset.examples] == ["4", "4", "5"]
    assert dataset.classes == CLASSES


def test_a_group_under_two_labels_is_left_out(tmp_path):
    write_table(tmp_path, ["benign/a.jpg,benign,4,1,1", "malignant/b.jpg,malignant,4,1,1", "normal/c.jpg,normal,5,1,1"])
    assert [example.key for example in list_examples(tmp_path, {}).examples] == ["normal/c.jpg"]


def test_unknown_options_are_refused(tmp_path):
    write_table(tmp_path, [])
    with pytest.raises(InputError, match="no options"):
        list_examples(tmp_path, {"size": 3})


@pytest.mark.data
def test_the_real_set_has_three_classes_and_groups(data_dir):
    dataset = list_examples(data_dir / "busi_breast_us", {})
    assert {example.label for example in dataset.examples} == set(CLASSES)
    assert len({example.group for example in dataset.examples}) < len(dataset.examples)
    assert all(example.path.is_file() for example in dataset.examples)
