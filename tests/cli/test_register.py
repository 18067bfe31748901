import json
import subprocess
import sys

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti


def run(*arguments):
    code = "import sys; from isocenter.cli.main import main; sys.argv = ['isocenter', *sys.argv[1:]]; main()"
    words = [str(word) for word in arguments]
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


@pytest.fixture
def images(tmp_path):
    grid = Grid.of_spacing((24, 30, 28), (3.0, 3.0, 3.0))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    place = (index - (12, 15, 14)) / (10, 13, 12)
    inside = (place**2).sum(-1) < 1
    texture = np.sin(index[..., 0] / 2) * np.cos(index[..., 1] / 3) + np.sin((index[..., 2] + index[..., 1]) / 4)
    values = np.where(inside, 100 + 30 * texture, 0).astype(np.float32)
    noise = np.random.default_rng(0).normal(50, 20, grid.shape).astype(np.float32)
    for name, array in (("a", values), ("b", np.roll(values, 1, axis=2)), ("noise", noise)):
        write_nifti(Volume(array, grid), tmp_path / f"{name}.nii.gz")
    return tmp_path


def test_a_pair_ends_well_and_noise_with_five(images):
    good = run(
        "register", images / "a.nii.gz", images / "b.nii.gz", "--transform", "rigid", "--out", images / "o", "--json"
    )
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["converged"] is True
    bad = run("register", images / "a.nii.gz", images / "noise.nii.gz", "--out", images / "bad")
    assert bad.returncode == 5
    assert bad.stderr.count("\n") == 1
    assert "metrics.json" in bad.stderr
    assert json.loads((images / "bad" / "metrics.json").read_text())["converged"] is False


def test_wrong_usage_is_told_in_one_line(images):
    missing = run("register", images / "a.nii.gz", images / "none.nii.gz", "--out", images / "o")
    assert missing.returncode == 3
    assert missing.stderr.count("\n") == 1
    wrong = run("register", images / "a.nii.gz", images / "b.nii.gz", "--transform", "bendy", "--out", images / "o")
    assert wrong.returncode == 2
