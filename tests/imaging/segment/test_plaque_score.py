import cv2
import numpy as np

from isocenter.imaging.segment.agatston import score_calcium
from isocenter.imaging.segment.plaque_score import Lesions, Scanner, score_plaques
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur

BLUR = ReconstructionBlur(2.2, 2.3)
SPACING = (2.0, 0.8, 0.8)
EVERYWHERE = np.ones((14, 40, 40), bool)


def _chest(noise_hu=8.0):
    k, j, i = (np.arange(n) * s for n, s in zip(EVERYWHERE.shape, SPACING, strict=True))
    ideal = np.full(EVERYWHERE.shape, 42.0)
    for (z, y, x), radius, hu in (((9.2, 10, 11), 2.4, 520.0), ((18.1, 21, 20), 2.9, 350.0)):
        away = np.sqrt((k[:, None, None] - z) ** 2 + (j[None, :, None] - y) ** 2 + (i[None, None] - x) ** 2)
        ideal += (hu - 42) * np.clip(0.5 - (away - radius) / 0.8, 0, 1)
    seen = np.stack([cv2.filter2D(p, -1, BLUR.taps(), borderType=cv2.BORDER_REPLICATE) for p in ideal])
    return ideal, (seen + np.random.default_rng(2).normal(0, noise_hu, seen.shape)).astype(np.float32)


def test_the_score_is_that_before_the_blur():
    ideal, seen = _chest()
    true = score_calcium(ideal, EVERYWHERE, SPACING)[0].agatston
    blurred = score_calcium(seen, EVERYWHERE, SPACING)[0].agatston
    lesions = Lesions.of_mask(seen > 160, max_voxels=1000)
    scanner = Scanner(SPACING, SPACING[0], 8.0, BLUR)
    score, mask, spread = score_plaques(seen, seen, EVERYWHERE, lesions=lesions, scanner=scanner)
    assert blurred > 1.08 * true
    assert abs(score.agatston / true - 1) < 0.04
    assert 0 < spread < 0.05 * true
    assert np.isclose(score.volume_mm3, mask.sum() * np.prod(SPACING), rtol=0.05)


def test_the_same_scan_gives_the_same_score():
    _, seen = _chest()
    lesions, scanner = Lesions.of_mask(seen > 160, max_voxels=1000), Scanner(SPACING, SPACING[0], 8.0, BLUR)
    first, second = (score_plaques(seen, seen, EVERYWHERE, lesions=lesions, scanner=scanner) for _ in range(2))
    assert first[0] == second[0]


def test_nothing_bright_scores_nothing():
    lesions = Lesions.of_mask(np.zeros(EVERYWHERE.shape, bool), max_voxels=1000)
    flat = np.full(EVERYWHERE.shape, 40.0, np.float32)
    scanner = Scanner(SPACING, SPACING[0], 8.0, BLUR)
    score, mask, spread = score_plaques(flat, flat, EVERYWHERE, lesions=lesions, scanner=scanner)
    assert (score.agatston, mask.sum(), spread) == (0.0, 0, 0.0)


def test_lesions_leave_out_what_is_too_large():
    mask = np.zeros((4, 20, 20), bool)
    mask[1, 2:4, 2:4] = mask[2, 8:18, 8:18] = True
    mask[3, 15, 2] = True
    lesions = Lesions.of_mask(mask, max_voxels=50)
    assert len(lesions.boxes) == 2
    for n, box in enumerate(lesions.boxes):
        assert (lesions.labels[box] == n + 1).sum() == (lesions.labels == n + 1).sum() > 0
    assert (lesions.labels > 0).sum() == 5
