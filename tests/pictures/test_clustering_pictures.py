"""The pictures of docs/how-to/clustering.md: tissue of a brain, superpixels of a CT, and textures told apart."""

import cv2
import numpy as np
import pytest

from isocenter.core.mask import Mask
from isocenter.imaging.overlay import BLUE, GREEN, RED, WHITE, YELLOW, draw_label, montage, to_rgb
from isocenter.imaging.phantoms_texture import texture_mosaic
from isocenter.imaging.segment.cluster import cluster_gmm, cluster_kmeans, superpixels_slic
from isocenter.imaging.segment.texture import segment_texture
from isocenter.imaging.spatial import crop_to_box, reorient_to_axial
from isocenter.io.load import load

LEVELS = 0xE0
COLOURS = np.array([(0, 0, 0), BLUE, GREEN, YELLOW, RED, WHITE], dtype=np.uint8)


def painted(gray: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture tinted by label."""
    tint = COLOURS[labels]
    return np.where(labels[..., None] > 0, to_rgb(gray) // 2 + tint // 2, to_rgb(gray)).astype(np.uint8) & LEVELS


def outlined(gray: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture with the borders between labels."""
    border = np.zeros(labels.shape, dtype=bool)
    border[:-1] |= labels[:-1] != labels[1:]
    border[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    picture = to_rgb(gray).copy()
    picture[border] = YELLOW
    return picture & LEVELS


def gray_of(picture: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((picture - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def enlarged(picture: np.ndarray, words: str, factor: float) -> np.ndarray:
    large = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    return draw_label(large, words, at=(18, 4))


@pytest.mark.data
def test_tissue_and_superpixels_of_real_images(data_dir, docs_picture):
    head = reorient_to_axial(load(data_dir / "ms_lesions_mni_4modal" / "patient07" / "T1.nii.gz"))
    head = crop_to_box(head, (80, 20, 15), (100, 200, 167))
    mask = Mask(head.array > 200, head.grid)
    gray = gray_of(head.array[10], 0, np.percentile(head.array, 99.5))
    plain, field = (cluster(head, classes=3, mask=mask) for cluster in (cluster_kmeans, cluster_gmm))
    # A field leaves fewer voxels that differ from most of their neighbours.
    lone = [int((cv2.medianBlur(labels[10].astype(np.uint8), 3) != labels[10]).sum()) for labels in (plain, field)]
    assert lone[1] < lone[0]
    torso = reorient_to_axial(load(data_dir / "ct_mr_organ_masks_small" / "example_ct_sm.nii.gz"))
    torso = torso.with_array(np.clip(torso.array, -160, 240))
    pieces = superpixels_slic(torso, segments=1500)
    middle = torso.grid.shape[0] // 2
    tile = outlined(
        cv2.resize(gray_of(torso.array[middle], -160, 240), None, fx=4, fy=4, interpolation=cv2.INTER_AREA),
        cv2.resize(pieces[middle].astype(np.float32), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST),
    )
    height = round(gray.shape[0] * 1.7)
    tile = cv2.resize(tile, (round(tile.shape[1] * height / tile.shape[0]), height), interpolation=cv2.INTER_AREA)
    tiles = [
        enlarged(to_rgb(gray) & LEVELS, "T1", 1.7),
        enlarged(painted(gray, plain[10]), "kmeans", 1.7),
        enlarged(painted(gray, field[10]), "gmm", 1.7),
        draw_label(tile & LEVELS, "slic, CT", at=(18, 4)),
    ]
    docs_picture("clustering-real", montage(tiles, n_columns=4), tolerance=4.0)


def test_textures_of_a_mosaic_are_told_apart(docs_picture):
    volume, truth = texture_mosaic(256, n_textures=5, rng=np.random.default_rng(21))
    labels = segment_texture(volume, classes=5)
    gray = volume.array[0]
    tiles = [
        enlarged(to_rgb(gray) & LEVELS, "mosaic", 1.0),
        enlarged(COLOURS[labels[0]], "found", 1.0),
        enlarged(outlined(gray, truth[0]), "true borders", 1.0),
    ]
    docs_picture("clustering-textures", montage(tiles, n_columns=3), tolerance=4.0)
