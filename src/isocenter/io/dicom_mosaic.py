"""Siemens mosaics: the slices of one volume tiled into one picture."""

import math
from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.io.dicom_csa import csa_numbers
from isocenter.io.dicom_scan import Header


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How a mosaic comes apart: per slice its tile's first (row, column) and its first pixel's LPS place."""

    rows: int
    columns: int
    tiles: tuple[tuple[int, int], ...]
    positions_mm: tuple[tuple[float, ...], ...]


def read_mosaic(header: Header, rows: int, columns: int) -> Mosaic | None:
    """How a mosaic comes apart; None for any other picture.

    The header places the whole picture as if it were one plane around the centre of the first slice; each slice lies
    one step further along the normal that the CSA header states.

    Raises FormatError where the header says mosaic and not how many slices of what distance.

    Source: "DICOM mosaic format" of nibabel's documentation; SliceNormalVector and NumberOfImagesInMosaic of the
    Siemens CSA image header.
    """
    if "MOSAIC" not in header.texts("ImageType") or "SIEMENS" not in header.text("Manufacturer").upper():
        return None
    csa = header.values.get("SiemensCSA", ())
    in_csa = csa_numbers(csa[0], "NumberOfImagesInMosaic") if csa else ()
    count = int(header.number("SiemensMosaicCount") or (in_csa[0] if in_csa else 0))
    plane, spacing = header.numbers("ImageOrientationPatient", 6), header.numbers("PixelSpacing", 2)
    place = header.numbers("ImagePositionPatient", 3)
    in_csa = csa_numbers(csa[0], "SpacingBetweenSlices") if csa else ()
    step_mm = header.number("SpacingBetweenSlices") or (in_csa[0] if in_csa else header.number("SliceThickness"))
    if not (1 <= count <= 4096) or plane is None or spacing is None or place is None or not step_mm:
        raise FormatError("expected the slices of a mosaic to be stated (count, step, place), they are not")
    side = math.ceil(math.sqrt(count))
    tile_rows, tile_columns = rows // side, columns // side
    if min(tile_rows, tile_columns) < 1 or tile_rows * side != rows or tile_columns * side != columns:
        raise FormatError(f"mosaic of {count} slices: expected {side} x {side} equal tiles, got {rows} x {columns}")
    row, column = np.asarray(plane[:3]), np.asarray(plane[3:])
    stated = csa_numbers(csa[0], "SliceNormalVector") if csa else ()
    normal = np.asarray(stated) if len(stated) == 3 else np.cross(row, column)
    corner = (
        np.asarray(place)
        + row * spacing[1] * (columns - tile_columns) / 2
        + column * spacing[0] * (rows - tile_rows) / 2
    )
    return Mosaic(
        tile_rows,
        tile_columns,
        tuple((index // side * tile_rows, index % side * tile_columns) for index in range(count)),
        tuple(tuple((corner + index * step_mm * normal).tolist()) for index in range(count)),
    )
