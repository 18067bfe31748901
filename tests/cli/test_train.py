import importlib.util

import pytest

from isocenter.cli.train import require_training
from isocenter.core.errors import MissingExtraError


def test_training_without_its_extra_says_so_and_exits_2(isocenter, monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest))
    with pytest.raises(MissingExtraError, match="torch is missing"):
        require_training()
    (tmp_path / "c.toml").write_text("")
    code, _, err = isocenter("train", tmp_path / "c.toml", "--data", tmp_path, "--out", tmp_path / "run")
    assert code == 2 and "extra train" in err and len(err.strip().splitlines()) == 1


def test_a_wrong_configuration_is_one_line_and_exit_2(isocenter, tmp_path):
    (tmp_path / "c.toml").write_text("task = 3")
    code, _, err = isocenter("train", tmp_path / "c.toml", "--data", tmp_path, "--out", tmp_path / "run")
    assert code == 2 and "config" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_a_cluster_is_refused_by_name(isocenter, tmp_path):
    code, _, err = isocenter("train", "c.toml", "--data", tmp_path, "--out", tmp_path, "--ray", "host:1")
    assert code == 2 and "--ray" in err
