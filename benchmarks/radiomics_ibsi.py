"""The five configurations of IBSI-1, and phase 2 of IBSI-2 up to 7.B, on a CT-like image with holes and islands: ours
against MIRP.

Two rows per configuration: seconds for one region (median; the first turn, which compiles, is left out), and how many
features agree to one part in 10,000. MIRP opens its two files in that time. It lives in an environment of its own:

    python -m venv peer && peer/bin/pip install mirp==2.7.0

Then `python benchmarks/radiomics_ibsi.py --python peer/bin/python`, or ISOCENTER_MIRP=peer/bin/python before
`isocenter bench radiomics_ibsi`. Prints JSON; `--runs N` shortens it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.radiomics import extract_features, feature_table
from isocenter.imaging.features.radiomics_config import builtin_configs
from isocenter.io.nifti import write_nifti

# Runs in the peer's environment: the name of a configuration in, seconds and values out.
PEER = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
from mirp import extract_features
space = dict(by_slice=False, new_spacing=2.0, spline_order=1, roi_spline_order=1)
n_bins = dict(base_discretisation_method="fixed_bin_number", base_discretisation_n_bins=32)
width = dict(base_discretisation_method="fixed_bin_size", base_discretisation_bin_width=25.0)
soft, lung = ([low, 400.0] for low in (-500.0, -1000.0))
flat = dict(glszm="2d 2.5d", gldzm="2d 2.5d", ngtdm="2d 2.5d", ngldm="2d 2.5d",
            **dict.fromkeys(("glcm", "glrlm"), "2d_average 2d_slice_merge 2.5d_direction_merge 2.5d_volume_merge"))
solid = dict(glszm="3d", gldzm="3d", ngtdm="3d", ngldm="3d", glcm="3d_average 3d_volume_merge",
             glrlm="3d_average 3d_volume_merge")
configs = {
    "ibsi-a": dict(by_slice=True, resegmentation_intensity_range=soft, ivh_discretisation_method="none", **width),
    "ibsi-b": {**space, "by_slice": True, **n_bins, "resegmentation_intensity_range": soft,
               "ivh_discretisation_method": "none"},
    "ibsi-c": {**space, **width, "resegmentation_intensity_range": lung,
               "ivh_discretisation_method": "fixed_bin_size", "ivh_discretisation_bin_width": 2.5},
    "ibsi-d": {**space, **n_bins, "resegmentation_method": "sigma", "resegmentation_sigma": 3.0,
               "ivh_discretisation_method": "none"},
    "ibsi-e": {**space, **n_bins, "spline_order": 3, "resegmentation_method": ["threshold", "sigma"],
               "resegmentation_intensity_range": lung, "resegmentation_sigma": 3.0,
               "ivh_discretisation_method": "fixed_bin_number", "ivh_discretisation_n_bins": 1000},
}
turned = dict(rotation_invariance=True, pooling_method="mean")
gabor = dict(sigma=5.0, gamma=1.5, theta=0.0, theta_step=22.5, response="modulus", **turned, **{"lambda": 2.0})
log = dict(sigma=1.5, kernel_truncate=4.0)
# (name of the filter, its parameters, those of A, those of B)
filters = [
    ("mean", dict(filter_kernel_size=5), {}, {}),
    ("laplacian_of_gaussian", log, {}, {}),
    ("laws", dict(turned, compute_energy=True, delta=7, pooling_method="max"), dict(kernel="L5E5"),
     dict(kernel="L5E5E5")),
    ("gabor", gabor, {}, {}),
    ("separable_wavelet", dict(families="db3", decomposition_level=1, **turned), dict(set="LH"), dict(set="LLH")),
    ("separable_wavelet", dict(families="db3", decomposition_level=2, **turned), dict(set="HH"), dict(set="HHH")),
]
for n, (kernel, shared, a, b) in enumerate(filters, start=2):
    for letter, own in (("A", a), ("B", b)):
        prepared = dict(by_slice=True) if letter == "A" else {**space, "new_spacing": 1.0, "spline_order": 3}
        configs[f"ibsi2-{n}.{letter}"] = dict(prepared, resegmentation_intensity_range=lung, filter_kernels=kernel,
            boundary_condition="reflect", response_map_feature_families="statistics",
            **{f"{kernel}_{key}": value for key, value in {**shared, **own}.items()})
for line in sys.stdin:
    name = line.strip()
    how = {f"{family}_spatial_method": ways.split() for family, ways in (flat if name < "ibsi-c" else solid).items()}
    families = "none" if name.startswith("ibsi2") else "all"
    start = time.perf_counter()
    found = extract_features(image=sys.argv[1], mask=sys.argv[2], write_features=False, base_feature_families=families,
        no_approximation=True, ibsi_compliant=True, image_modality="ct", anti_aliasing=False, **configs[name], **how)[0]
    took = time.perf_counter() - start
    values = found.iloc[0].to_dict()
    numbers = {key: float(value) for key, value in values.items() if not isinstance(value, str) and value is not None}
    print(json.dumps([took, numbers]), flush=True)
"""
_ENDINGS = {
    "_2d_avg": "_2D_avg", "_2d_s_mrg": "_2D_comb", "_2.5d_d_mrg": "_2_5D_avg", "_2.5d_v_mrg": "_2_5D_comb",
    "_3d_avg": "_3D_avg", "_3d_v_mrg": "_3D_comb", "_2.5d": "_2_5D", "_2d": "_2D", "_3d": "_3D",
}  # fmt: skip


def chest() -> tuple[Volume, Mask]:
    """Lung, tumour and rib in HU; a region with a hole and an island near the border."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(7)
    shape = (23, 87, 93)
    k, j, i = np.indices(shape)
    field = gaussian_filter(rng.normal(0, 1, shape), (0.7, 2, 2)) * 900 - 500
    tumour = ((k - 11) / 7) ** 2 + ((j - 40) / 23) ** 2 + ((i - 50) / 26) ** 2 < 1
    array = np.where(tumour, 30 + field * 0.12, -800 + field * 0.2)
    array[:, 60:64, 40:60] += 900
    array = np.rint(array + rng.normal(0, 12, shape)).astype(np.float32)
    mask = ((k - 11) / 8.2) ** 2 + ((j - 40) / 25) ** 2 + ((i - 50) / 28) ** 2 < 1
    mask[10, 38:41, 48:53] = False
    mask[3:6, 80:86, 5:11] = True
    grid = Grid.of_spacing(shape, (3.0, 0.977, 0.977))
    return Volume(array, grid, "HU", "CT"), Mask(mask, grid)


def our_tag(name: str) -> str:
    """The tag that we give to MIRP's column: "cm_contrast_d1_3d_avg_fbn_n32" is "cm_contrast_3D_avg"."""
    if "stat_" in name:
        return name[name.index("stat_") :]
    for part in ("_fbs_w25.0", "_fbs_w2.5", "_fbn_n32", "_fbn_n1000", "_d1", "_a0.0"):
        name = name.replace(part, "")
    for theirs, ours in _ENDINGS.items():
        if name.endswith(theirs):
            return name.removesuffix(theirs) + ours
    return name


def run(python: str, n_runs: int = 3) -> list[dict[str, str | float]]:
    """Two rows per configuration."""
    volume, mask = chest()
    rows: list[dict[str, str | float]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("image.nii.gz", "mask.nii.gz")]
        write_nifti(volume, files[0])
        write_nifti(Volume(mask.array.astype(np.uint8), mask.grid), files[1])
        command = [python, "-c", PEER, *map(str, files)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as peer:
            for name in (*(f"ibsi-{x}" for x in "abcde"), *(f"ibsi2-{n}.{x}" for n in range(2, 8) for x in "AB")):
                times: list[tuple[float, float]] = []
                for _ in range(n_runs + 1):
                    start = time.perf_counter()
                    ours = feature_table(extract_features(volume, mask, builtin_configs()[name]))
                    took = time.perf_counter() - start
                    print(name, file=peer.stdin, flush=True)
                    theirs_took, found = json.loads(peer.stdout.readline())
                    times.append((took, theirs_took))
                theirs = {our_tag(key): value for key, value in found.items() if our_tag(key) in ours}
                agree = sum(bool(np.isclose(ours[tag], theirs[tag], rtol=1e-4)) for tag in theirs)
                ours_s, peer_s = (statistics.median(each) for each in zip(*times[1:], strict=True))
                rows += [
                    {"name": f"{name}, one region (MIRP)", "ours": round(ours_s, 3), "peer": round(peer_s, 3),
                     "ratio": round(peer_s / ours_s, 2), "unit": "s"},
                    {"name": f"{name}, features that agree (MIRP)", "ours": agree, "peer": len(theirs),
                     "ratio": round(agree / len(theirs), 3), "unit": "features"},
                ]  # fmt: skip
            peer.stdin.close()
    return rows


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=os.environ.get("ISOCENTER_MIRP", sys.executable))
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    done = subprocess.run([arguments.python, "-c", "import mirp"], capture_output=True, check=False)
    if done.returncode:
        sys.exit(
            f"radiomics: expected a Python with MIRP, {arguments.python} has none; see benchmarks/radiomics_ibsi.py"
        )
    print(json.dumps(run(arguments.python, arguments.runs), indent=2))


if __name__ == "__main__":
    main()
