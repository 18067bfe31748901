import pytest

from isocenter.core.errors import InputError
from isocenter.learning.datasets_table import list_examples


def test_a_table_gives_classes_groups_and_facts(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "file,label,patient,pixel_size_mm,sex\nb.png,sick,p1,0.5,F\na.png,well,p2,0.4,M\n"
    )
    dataset = list_examples(tmp_path, {})
    assert dataset.classes == ("sick", "well")
    first = dataset.examples[0]
    assert (first.key, first.group, first.label) == ("b.png", "p1", "sick")
    assert first.facts == {"pixel_size_mm": 0.5}


def test_masks_make_a_table_without_classes(tmp_path):
    (tmp_path / "labels.csv").write_text("image,mask\nb.png,m/b.png\n")
    dataset = list_examples(tmp_path, {})
    assert dataset.classes == () and dataset.examples[0].mask == tmp_path / "m" / "b.png"


def test_folders_are_classes_where_there_is_no_table(tmp_path):
    for name in ("cat/1.png", "dog/2.jpg", "dog/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    dataset = list_examples(tmp_path, {})
    assert [(each.key, each.label) for each in dataset.examples] == [("cat/1.png", "cat"), ("dog/2.jpg", "dog")]


def test_a_table_that_leads_elsewhere_or_says_nothing_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n../secret.png,x\n")
    with pytest.raises(InputError, match="leads out"):
        list_examples(tmp_path, {})
    (tmp_path / "labels.csv").write_text("path,kind\na.png,x\n")
    with pytest.raises(InputError, match="columns file"):
        list_examples(tmp_path, {})
