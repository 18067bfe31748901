"""What the documents tell a reader to type is typed here.

```sh blocks run line by line in a folder that holds sample inputs, each line with exit code 0 (or the one in a
`# exit N` comment behind it); ```python blocks run there too. ```text blocks are for reading.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1):
            if match[1] == kind:
                found.append((f"{page.relative_to(ROOT)}#{number}", match[2]))
    return found


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> Path:
    """A folder as the documents assume it: breast/, head.png, chest/, ct.npz, pet.npz, mr.npz, context.json."""
    from isocenter.app.demo_series import write_phantom_series
    from isocenter.imaging.phantoms import chest_phantom
    from isocenter.io.raster import write_png

    folder = tmp_path_factory.mktemp("docs")
    rng = np.random.default_rng(5)
    phantom = chest_phantom(rng, shape=(60, 192, 192), spacing_mm=(4.0, 1.7, 1.7))
    write_phantom_series(phantom.volume, folder / "chest")
    (folder / "breast").mkdir()
    for name in ("a.png", "b.png"):
        write_png(speckle(rng), folder / "breast" / name)
    write_png(speckle(rng), folder / "head.png")
    write_scans(folder)
    (folder / "context.json").write_text('{"pixel_size_mm": 0.15}', encoding="utf-8")
    return folder


def write_scans(folder: Path) -> None:
    """ct.npz, pet.npz and mr.npz: what `reconstruct` takes."""
    from isocenter.imaging.phantoms_projection import coil_sensitivities, draw_ellipses, project_ellipses, shepp_logan
    from isocenter.imaging.reconstruct.geometry import ScanGeometry
    from isocenter.imaging.reconstruct.operators_mri import to_kspace

    head, size = shepp_logan(44.0, scale=0.02), (96, 96)
    geometry = ScanGeometry(np.linspace(0, 180, 40, endpoint=False), 137, 1.0, size, 1.0)
    lines = project_ellipses(head, geometry)
    frame = {"angles_deg": geometry.angles_deg, "detector_mm": 1.0, "size": size, "pixel_mm": 1.0}
    np.savez(folder / "ct.npz", sinogram=lines, **frame)
    np.savez(folder / "pet.npz", sinogram=np.random.default_rng(1).poisson(20 * lines), **frame)
    mask = np.zeros(size, bool)
    mask[::3] = mask[40:56] = True
    kspace = to_kspace(draw_ellipses(head, size, pixel_mm=1.0) * coil_sensitivities(8, size))
    np.savez(folder / "mr.npz", kspace=kspace * mask, mask=mask)


def speckle(rng: np.random.Generator) -> np.ndarray:
    import cv2

    field = cv2.GaussianBlur(rng.rayleigh(1, (256, 256)).astype(np.float32), (0, 0), 1.5)
    return np.clip(255 * field / field.max(), 0, 255).astype(np.uint8)


def environment(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ISOCENTER_HOME": str(home / "home")}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "block"), blocks("sh"), ids=lambda value: value if "#" in str(value)[:80] else "")
def test_documented_commands_run(place, block, samples):
    for line in block.splitlines():
        command, _, comment = line.partition("  # ")
        if not command.strip() or command.lstrip().startswith("#"):
            continue
        expected = int(match[1]) if (match := re.search(r"exit (\d)", comment)) else 0
        done = subprocess.run(
            shlex.split(command), cwd=samples, env=environment(samples), capture_output=True, text=True, check=False
        )
        assert done.returncode == expected, f"{place}: {command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "block"), blocks("python"), ids=lambda value: value if "#" in str(value)[:80] else ""
)
def test_documented_python_runs(place, block, samples):
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=samples,
        env=environment(samples),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{place}\n{done.stdout}\n{done.stderr}"


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} -> {target}"


def test_every_command_has_a_documented_example():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    from isocenter.cli.main import app

    names = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    for name in names:
        assert f"isocenter {name}" in text, f"{name} has no example in README.md or docs/"
