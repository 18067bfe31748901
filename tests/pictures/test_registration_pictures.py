"""The pictures of the pages on registration and fusion: a follow-up brought home, a field, PET over CT over MR."""

import cv2
import numpy as np
import pytest

from isocenter.app.fuse_files import draw_fusion
from isocenter.core.volume import Volume
from isocenter.imaging.fuse import bring_onto, fuse_wavelet
from isocenter.imaging.fuse_pictures import checkerboard, cut_plane, red_cyan
from isocenter.imaging.intensity import robust_window, to_uint8
from isocenter.imaging.overlay import draw_label, montage
from isocenter.imaging.register.deformable import register_deformable
from isocenter.imaging.register.linear import register_linear
from isocenter.imaging.register.warp import jacobian_determinant, warp_field, warp_linear
from isocenter.imaging.spatial import resample_volume
from isocenter.io.nifti import read_nifti

LEVELS = 0xE0


def shown(volume: Volume) -> np.ndarray:
    return to_uint8(volume.array, robust_window(volume.array))


def titled(picture: np.ndarray, words: str, height: int = 230) -> np.ndarray:
    factor = height / picture.shape[0]
    large = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else 1)
    return draw_label(large, words, at=(16, 4))


@pytest.mark.data
@pytest.mark.slow
def test_a_follow_up_is_brought_home(data_dir, docs_picture):
    folder = data_dir / "ms_longitudinal_mri_pairs" / "patient03"
    fixed, moving = (read_nifti(folder / f"study{n}_FLAIR.nii.gz") for n in (1, 2))
    found = register_linear(fixed, moving)
    assert found.evidence.converged
    pictures = []
    for words, matrix in (("as the headers say", np.eye(4)), ("registered", found.matrix)):
        moved = shown(warp_linear(moving, fixed.grid, matrix))
        for plane in ("axial", "sagittal"):
            cuts = [cut_plane(array, fixed.grid, plane) for array in (shown(fixed), moved)]
            pictures.append(titled(checkerboard(*cuts), f"{words}, {plane}", 190))
            pictures.append(titled(red_cyan(*cuts), "red: first, cyan: second", 190))
    docs_picture("registration-followup", montage(pictures, n_columns=4) & LEVELS)


@pytest.mark.data
@pytest.mark.slow
def test_a_field_and_its_determinant(data_dir, docs_picture):
    volume = resample_volume(read_nifti(data_dir / "ms_lesions_mni_4modal" / "patient07" / "T1.nii.gz"), (2, 2, 2))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in volume.grid.shape], indexing="ij"), axis=-1) / 12
    k, j, i = (index[..., axis] for axis in range(3))
    field = 5 * np.stack((np.sin(j) * np.cos(k), np.sin(k) * np.cos(i), np.cos(i) * np.sin(j)), axis=-1)
    fixed = warp_field(volume, volume.grid, field)
    found = register_deformable(fixed, volume)
    moved = warp_field(volume, volume.grid, found.field_mm)
    assert found.folding_percent == 0
    cuts = [cut_plane(shown(v), volume.grid, "axial", index=45) for v in (fixed, volume, moved)]
    growth = jacobian_determinant(found.field_mm, volume.grid)
    map_ = np.clip((cut_plane(growth, volume.grid, "axial", index=45) - 0.4) / 1.2 * 255, 0, 255).astype(np.uint8)
    pictures = [titled(cut, words) for cut, words in zip(cuts, ("fixed", "moving", "moved"), strict=True)]
    pictures += [titled(red_cyan(cuts[0], cuts[2]), "fixed and moved"), titled(map_, "growth, 0.4 to 1.6")]
    docs_picture("registration-deformable", montage(pictures, n_columns=5) & 0xF0)


@pytest.mark.data
def test_three_scanners_of_one_tumour(data_dir, docs_picture):
    folder = data_dir / "sts_ct_pet_mr_tumour" / "STS_008"
    ct, pet, mr = (read_nifti(folder / f"{name}_image.nii.gz") for name in ("CT", "PET", "MR_T1"))
    on_ct, mr_on_ct = bring_onto(ct, pet), bring_onto(ct, mr)
    overlay = draw_fusion(ct, on_ct)["overlay"]
    rows = [titled(overlay, "PET in hot metal over CT: three planes", 240)]
    wavelet = shown(fuse_wavelet(ct, mr_on_ct))
    middle = int(np.argmax(on_ct.array.sum((1, 2))))
    parts = [cut_plane(array, ct.grid, "axial", index=middle) for array in (shown(ct), shown(mr_on_ct), wavelet)]
    names = ("CT", "MR on the CT's grid", "wavelet fusion")
    cuts = [titled(part, name, 150) for part, name in zip(parts, names, strict=True)]
    cuts.append(titled(red_cyan(parts[0], parts[1]), "red CT, cyan MR", 150))
    rows.append(montage(cuts, n_columns=4))
    wide = max(row.shape[1] for row in rows)
    sheet = np.vstack([np.pad(row, ((0, 2), (0, wide - row.shape[1]), (0, 0))) for row in rows])
    docs_picture("fusion-tumour", sheet & 0xF0)
