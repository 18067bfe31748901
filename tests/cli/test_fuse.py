import json
import subprocess
import sys

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti


def run(*arguments):
    code = "import sys; from isocenter.cli.main import main; sys.argv = ['isocenter', *sys.argv[1:]]; main()"
    words = [str(word) for word in arguments]
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


def test_two_images_are_laid_over_one_another(tmp_path):
    rng = np.random.default_rng(0)
    for name, origin in (("a", 0.0), ("b", 3.0), ("far", 900.0)):
        grid = Grid.of_spacing((8, 20, 22), (2.0, 2.0, 2.0), (origin, 0.0, 0.0))
        write_nifti(Volume(rng.random(grid.shape).astype(np.float32), grid), tmp_path / f"{name}.nii.gz")
    done = run("fuse", tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", "--out", tmp_path / "o", "--json")
    assert done.returncode == 0, done.stderr
    assert 0.8 < json.loads(done.stdout)["covered_share"] < 1
    assert (tmp_path / "o" / "overlay.png").exists()
    far = run("fuse", tmp_path / "a.nii.gz", tmp_path / "far.nii.gz", "--out", tmp_path / "p")
    assert far.returncode == 2
    assert far.stderr.count("\n") == 1
