"""The picture of docs/how-to/quality.md: one head, harmed in known ways, with the figure that tells."""

import cv2
import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume, Window
from isocenter.imaging.intensity import to_uint8
from isocenter.imaging.overlay import draw_label, montage
from isocenter.imaging.quality_figures import QualityFigures, describe_quality
from isocenter.io.load import load

pytestmark = pytest.mark.data
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xE0


def figures_of(picture: np.ndarray) -> QualityFigures:
    return describe_quality(Volume(picture[None], Grid.of_spacing((1, *picture.shape), (1.0,) * 3), modality="MR"))


def shown(picture: np.ndarray, *lines: str) -> np.ndarray:
    """The slice with words below it."""
    gray = to_uint8(np.pad(picture, ((0, 28), (0, 0))), Window(900, 1800)) & LEVELS
    large = cv2.resize(gray, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_NEAREST)
    for number, text in enumerate(lines):
        large = draw_label(large, text, at=(large.shape[0] - 22 + 17 * number, 4))
    return large


def test_what_harms_an_image_shows_in_its_figures(data_dir, docs_picture):
    volume = load(data_dir / "ms_lesions_mni_4modal" / "patient07" / "T2.nii.gz")
    head = np.flipud(volume.array[len(volume.array) // 2].astype(np.float32))[8:-20, 8:-8]
    rng = np.random.default_rng(0)
    scan = np.abs(head + rng.normal(0, 40, head.shape)).astype(np.float32)
    noisy = np.abs(head + rng.normal(0, 200, head.shape)).astype(np.float32)
    ghosted = (scan + 0.15 * np.roll(scan, len(scan) // 2, axis=0)).astype(np.float32)
    cut = np.ascontiguousarray(scan[:, 50:])
    words = np.zeros(head.shape, np.uint8)
    cv2.putText(words, "DOE JOHN", (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1, cv2.LINE_AA)
    written = np.where(words > 200, scan.max(), scan).astype(np.float32)
    figures = {name: figures_of(each) for name, each in locals().items() if name in _PANELS}
    assert figures["noisy"].snr < figures["scan"].snr / 2
    assert figures["ghosted"].ghosting > 0.05 > figures["scan"].ghosting
    assert figures["cut"].border_share > 0.05 and figures["scan"].border_share == 0
    assert figures["written"].letters == 7 and figures["scan"].letters == 0
    pictures = [
        shown(scan, "as it is", f"snr {figures['scan'].snr:.0f}  ghosting {figures['scan'].ghosting:.3f}"),
        shown(noisy, "noise", f"noise_sd {figures['noisy'].noise_sd:.0f}  snr {figures['noisy'].snr:.0f}"),
        shown(ghosted, "ghost", f"ghosting {figures['ghosted'].ghosting:.3f}"),
        shown(cut, "cut off", f"border_share {figures['cut'].border_share:.2f}"),
        shown(written, "burnt in", f"letters {figures['written'].letters}"),
    ]
    docs_picture("quality-figures", montage(pictures, n_columns=5))


_PANELS = ("scan", "noisy", "ghosted", "cut", "written")
