"""Transforms as ITK reads and writes them: matrices as text (.tfm), displacement vectors as a MetaImage (.mha).

Both map fixed points to moving points in LPS millimetres. Images of which nobody states a place (a PNG) get transforms
of two axes, in pixels, as ITK counts them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.io.atomic import atomic_write
from isocenter.io.boundary import untrusted
from isocenter.io.limits import check_file_size

_TEXT_BYTES: Final = 1024 * 1024


def write_tfm(matrix: np.ndarray, path: Path, *, in_plane: bool = False) -> None:
    """Write a motion as an ITK AffineTransform: whole or not there, the same bytes every time.

    matrix     (4, 4); fixed points -> moving points, LPS mm
    in_plane   write the two axes x and y alone, for pictures
    """
    n = 2 if in_plane else 3
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(f"transform: expected a finite (4, 4) matrix, got {matrix.shape}")
    numbers = [*matrix[:n, :n].ravel(), *matrix[:n, 3]]
    lines = (
        "#Insight Transform File V1.0",
        "#Transform 0",
        f"Transform: AffineTransform_double_{n}_{n}",
        "Parameters: " + " ".join(repr(float(number)) for number in numbers),
        "FixedParameters: " + " ".join("0" for _ in range(n)),
        "",
    )
    atomic_write(path, "\n".join(lines).encode("ascii"))


def read_tfm(path: Path) -> np.ndarray:
    """The motion (4, 4) in an ITK text transform file; fixed points -> moving points, LPS mm.

    Reads matrices (affine and its bases), Euler angles and translations, of two or three axes.
    Raises FormatError for another kind, several transforms, or numbers that are missing.
    Source: ITK Software Guide, section 3.9 (MatrixOffsetTransformBase, Euler3DTransform).
    """
    path = Path(path)
    with untrusted("an ITK transform file"):
        check_file_size(path.stat().st_size)
        data = path.read_bytes()
        if len(data) > _TEXT_BYTES or not data.startswith(b"#Insight Transform File"):
            raise FormatError("expected an ITK text transform (#Insight Transform File), got something else")
        keys = _lines_of(data.decode("ascii", "replace"))
        kind, _, tail = keys["Transform"].partition("_")
        n = 2 if tail.endswith("_2_2") else 3
        parameters = _numbers(keys.get("Parameters", ""))
        centre = _numbers(keys.get("FixedParameters", ""))
        linear, shift = _linear_part(kind, n, parameters, centre)
    matrix = np.eye(4)
    matrix[:n, :n] = linear
    middle = centre[:n] if centre.size >= n else np.zeros(n)
    matrix[:n, 3] = shift + middle - linear @ middle
    return matrix


def _lines_of(text: str) -> Mapping[str, str]:
    keys: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            if key in keys:
                raise FormatError("expected one transform, got several; give the file of one of them")
            keys[key.strip()] = value.strip()
    if "Transform" not in keys:
        raise FormatError("expected a line 'Transform: …', the file has none; export the transform again")
    return keys


def _numbers(text: str) -> np.ndarray:
    values = np.array([float(word) for word in text.split()], dtype=np.float64)
    if not np.isfinite(values).all():
        raise FormatError("expected finite parameters, got others; export the transform again")
    return values


def _linear_part(kind: str, n: int, parameters: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, n) and the translation (n,) of the parameters."""
    if kind == "TranslationTransform" and parameters.size == n:
        return np.eye(n), parameters
    if kind in ("AffineTransform", "MatrixOffsetTransformBase") and parameters.size == n * (n + 1):
        return parameters[: n * n].reshape(n, n), parameters[n * n :]
    if kind == "Euler3DTransform" and parameters.size == 6:
        x, y, z = (_turn(axis, angle) for axis, angle in enumerate(parameters[:3]))
        is_zyx = centre.size > 3 and bool(centre[3])
        return (z @ y @ x if is_zyx else z @ x @ y), parameters[3:]
    if kind == "Euler2DTransform" and parameters.size == 3:
        return _turn(2, parameters[0])[:2, :2], parameters[1:]
    raise FormatError(
        f"expected an affine, Euler or translation transform, got {kind[:40]!r} of {parameters.size} parameters; "
        "save it as an AffineTransform"
    )


def _turn(axis: int, angle: float) -> np.ndarray:
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[one, one] = turn[two, two] = np.cos(angle)
    turn[two, one], turn[one, two] = np.sin(angle), -np.sin(angle)
    return turn


def write_displacement(field_mm: np.ndarray, grid: Grid, path: Path) -> None:
    """Write displacement vectors as an MHA of float32: moving point = fixed point + vector.

    field_mm   (slices, rows, columns, 3); x, y, z of LPS mm at each voxel of the fixed grid; a picture's field is
               written with two axes and two components
    """
    if field_mm.shape != (*grid.shape, 3):
        raise InputError(f"displacement: expected the grid's shape {(*grid.shape, 3)}, got {field_mm.shape}")
    n = 2 if grid.shape[0] == 1 and not grid.position_known else 3
    axes = grid.affine[:3, 2::-1].T[:n, :n]
    spacing = np.linalg.norm(axes, axis=1)
    header = {
        "ObjectType": "Image",
        "NDims": n,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": _words(axes / spacing[:, None]),
        "Offset": _words(grid.affine[:n, 3]),
        "CenterOfRotation": _words(np.zeros(n)),
        "ElementSpacing": _words(spacing),
        "DimSize": " ".join(str(size) for size in grid.shape[::-1][:n]),
        "ElementNumberOfChannels": n,
        "ElementType": "MET_FLOAT",
        "ElementDataFile": "LOCAL",
    }
    text = "".join(f"{key} = {value}\n" for key, value in header.items())
    vectors = np.ascontiguousarray(field_mm[..., :n], dtype="<f4")
    atomic_write(path, text.encode("ascii") + vectors.tobytes())


def _words(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in np.ravel(values))
