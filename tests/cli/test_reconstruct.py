import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from isocenter.app.reconstruct_files import METHODS
from isocenter.cli import reconstruct, words
from isocenter.core.errors import InputError


@pytest.fixture
def run():
    """Run the command with words; the result."""
    app = typer.Typer()
    app.command(context_settings=words.CONTEXT)(reconstruct.reconstruct)
    return lambda *line: CliRunner().invoke(app, [str(word) for word in line])


@pytest.fixture
def scan(tmp_path):
    """A disc seen from all sides."""
    t = np.arange(41) - 20.0
    view = 0.02 * 2 * np.sqrt(np.clip(144 - t**2, 0, None))
    path = tmp_path / "scan.npz"
    np.savez(
        path,
        sinogram=np.tile(view, (60, 1)),
        angles_deg=np.arange(0, 180, 3.0),
        detector_mm=1.0,
        size=[32, 32],
        pixel_mm=1.0,
    )
    return path


def test_the_list_names_every_method_with_its_options(run):
    done = run("list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[::2]] == list(METHODS)
    assert "--window" in lines[1] and "--regularisation" in done.stdout


def test_an_image_without_a_name_is_refused(run, scan):
    assert isinstance(run("fbp", scan).exception, InputError)


def test_an_image_is_written_and_named(run, scan, tmp_path):
    out = tmp_path / "image.npy"
    done = run("fbp", scan, "--out", out, "--window", "hann")
    assert done.exit_code == 0 and "32 x 32" in done.stdout
    assert np.load(out)[16, 16] == pytest.approx(0.02, rel=0.02)


def test_an_option_that_the_method_lacks_is_refused(run, scan, tmp_path):
    done = run("fbp", scan, "--out", tmp_path / "image.npy", "--coils", "3")
    assert isinstance(done.exception, InputError) and "--coils" in str(done.exception)


def test_options_may_stand_before_the_places(run, scan, tmp_path):
    assert run("--window", "hann", "fbp", scan, "--out", tmp_path / "a.npy").exit_code == 0
    assert run("fbp", scan, "--out", tmp_path / "b.npy", "--window", "hann").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))


def test_a_missing_place_is_named(run, tmp_path):
    done = run("fbp", "--out", tmp_path / "image.npy")
    assert isinstance(done.exception, InputError) and "METHOD IN" in str(done.exception)
