"""The command line of `enhance`: options in any place, exit codes, one line for errors."""

import subprocess
import sys

import numpy as np
import pytest

from isocenter.app.image_files import open_image
from isocenter.io.raster import write_png


def run(*words, cwd):
    code = "from isocenter.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "enhance", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path):
    picture = np.random.default_rng(0).integers(0, 200, (40, 48)).astype(np.uint8)
    write_png(picture, tmp_path / "in.png")
    return tmp_path


def test_a_picture_is_enhanced_with_options_from_line_and_file(folder):
    (folder / "wide.toml").write_text("size = 5\n")
    done = run("mean", "in.png", "out.png", "--config", "wide.toml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    wide = open_image(folder / "out.png").array.std()
    assert run("mean", "in.png", "out.png", "--config", "wide.toml", "--size", "3", cwd=folder).returncode == 0
    assert open_image(folder / "out.png").array.std() > wide


def test_the_list_tells_all(folder):
    done = run("list", cwd=folder)
    assert done.returncode == 0
    assert "bm3d: " in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("gaussian", "in.png"), 2, "expected OP IN OUT"),
        (("gaussian", "in.png", "out.png", "--width", "2"), 2, "--sigma-mm, --sigma-px"),
        (("gaussian", "absent.png", "out.png"), 3, "absent.png"),
        (("gaussian", "in.png", "out.jpg"), 2, ".png"),
        (("gaussian", "in.png", "out.png", "--sigma-mm", "2"), 2, "pixel size"),
    ],
)
def test_wrong_use_is_one_line_and_a_code(words, code, says, folder):
    done = run(*words, cwd=folder)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
