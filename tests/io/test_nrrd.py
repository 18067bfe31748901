"""NRRD: what we write we read, and an independent reader agrees."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nrrd import read_nrrd, write_nrrd

TYPES = ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"]
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def oblique_grid(seed: int, shape: tuple[int, int, int]) -> Grid:
    """A rotated grid with uneven spacing, left- or right-handed."""
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = directions * rng.uniform(0.3, 4, 3)
    affine[:3, 3] = rng.uniform(-300, 300, 3)
    return Grid(shape, affine)


def ramp(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 120).reshape(shape).astype(dtype)


def header(*lines: str, payload: bytes = b"", magic: str = "NRRD0005") -> bytes:
    return "\n".join((magic, *lines)).encode() + b"\n\n" + payload


@relaxed
@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(TYPES), colour=st.booleans())
def test_what_we_write_we_read_back_exactly(tmp_path, seed, dtype, colour):
    grid = oblique_grid(seed, (3, 4, 5))
    array = ramp((3, 4, 5, 3), "uint8") if colour else ramp((3, 4, 5), dtype)
    write_nrrd(Volume(array, grid, "HU", "CT"), tmp_path / "a.nrrd")
    back = read_nrrd(tmp_path / "a.nrrd")
    assert isinstance(back, Volume)
    assert back.array.dtype == array.dtype and np.array_equal(back.array, array)
    assert np.array_equal(back.grid.affine, grid.affine)
    assert (back.unit, back.modality, back.source.kind) == ("HU", "CT", "nrrd")


@pytest.mark.parametrize("source", ["patient", "detector", "context", "unknown"])
def test_what_is_unknown_stays_unknown(tmp_path, source):
    grid = (
        Grid.of_pixels((2, 3, 4))
        if source == "unknown"
        else Grid((2, 3, 4), Grid.of_spacing((2, 3, 4), (3, 2, 1)).affine, source, False)
    )
    write_nrrd(Volume(ramp((2, 3, 4), "int16"), grid), tmp_path / "a.nrrd")
    back = read_nrrd(tmp_path / "a.nrrd").grid
    assert (back.spacing_source, back.position_known) == (source, False)
    assert np.array_equal(back.affine, grid.affine)


@pytest.mark.parametrize("colour", [False, True])
def test_a_cine_keeps_its_times(tmp_path, colour):
    array = ramp((4, 2, 3, 5, 3) if colour else (4, 2, 3, 5), "uint8")
    cine = Cine(array, np.array([0, 0.1, 0.25, 0.5]), oblique_grid(1, (2, 3, 5)), "a.u.", "US")
    write_nrrd(cine, tmp_path / "a.nrrd")
    back = read_nrrd(tmp_path / "a.nrrd")
    assert isinstance(back, Cine)
    assert np.array_equal(back.array, array) and np.array_equal(back.times_s, cine.times_s)
    assert np.array_equal(back.grid.affine, cine.grid.affine) and back.axis == "time"


def test_diffusion_keeps_b_values_and_directions(tmp_path):
    bvecs = np.array([[0, 0, 0], [1, 0, 0], [0, 0.6, 0.8]])
    cine = Cine(
        ramp((3, 2, 3, 4), "int16"),
        np.arange(3.0),
        oblique_grid(2, (2, 3, 4)),
        axis="diffusion",
        bvals=np.array([0, 500.0, 1000]),
        bvecs=bvecs,
    )
    write_nrrd(cine, tmp_path / "a.nrrd")
    back = read_nrrd(tmp_path / "a.nrrd")
    assert back.axis == "diffusion"
    np.testing.assert_allclose(back.bvals, [0, 500, 1000], atol=1e-9)
    np.testing.assert_allclose(back.bvecs, bvecs, atol=1e-12)


def test_the_same_image_gives_the_same_bytes(tmp_path):
    volume = Volume(ramp((2, 3, 4), "int16"), oblique_grid(3, (2, 3, 4)))
    for name in "ab":
        write_nrrd(volume, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("dtype", TYPES)
def test_simpleitk_reads_what_we_write(tmp_path, dtype):
    sitk = pytest.importorskip("SimpleITK")
    grid = oblique_grid(4, (3, 4, 5))
    write_nrrd(Volume(ramp((3, 4, 5), dtype), grid), tmp_path / "a.nrrd")
    image = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), ramp((3, 4, 5), dtype))
    for k, j, i in [(0, 0, 0), (2, 3, 4), (1, 0, 3)]:
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint((i, j, k)), grid.affine[:3] @ (k, j, i, 1), atol=1e-6
        )


@relaxed
@given(
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from(["int16", "uint8", "float32"]),
    packed=st.booleans(),
    two=st.booleans(),
)
def test_we_read_what_simpleitk_writes(tmp_path, seed, dtype, packed, two):
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(seed)
    shape = (4, 5) if two else (3, 4, 5)
    directions, _ = np.linalg.qr(rng.normal(size=(len(shape),) * 2))
    image = sitk.GetImageFromArray(ramp(shape, dtype))
    image.SetSpacing([float(s) for s in rng.uniform(0.2, 5, len(shape))])
    image.SetOrigin([float(s) for s in rng.uniform(-99, 99, len(shape))])
    image.SetDirection(directions.ravel().tolist())
    for name in ("a.nrrd", "a.mha", "a.nhdr", "a.mhd"):
        sitk.WriteImage(image, str(tmp_path / name), packed)
        back = read_nrrd(tmp_path / name)
        assert np.array_equal(back.array.reshape(shape), ramp(shape, dtype)), name
        for index in [(0, 0, 0), (2, 3, 1)]:
            expected = image.TransformIndexToPhysicalPoint(index[: len(shape)])
            i, j, k = (*index[: len(shape)], 0)[:3]
            np.testing.assert_allclose(
                (back.grid.affine[:3] @ (k, j, i, 1))[: len(shape)], expected, atol=1e-5, err_msg=name
            )
        assert back.grid.position_known == (not two), name


@pytest.mark.parametrize(
    ("space", "signs"),
    [("left-posterior-superior", (1, 1, 1)), ("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1))],
)
def test_each_space_becomes_lps(tmp_path, space, signs):
    sitk = pytest.importorskip("SimpleITK")
    path = tmp_path / "a.nrrd"
    lines = (
        "type: short",
        "dimension: 3",
        f"space: {space}",
        "sizes: 4 3 2",
        "space directions: (0,2,0) (0,0,3) (1,0,0)",
        "space origin: (10,20,30)",
        "endian: big",
        "encoding: raw",
    )
    path.write_bytes(header(*lines, payload=ramp((2, 3, 4), ">i2").tobytes()))
    back = read_nrrd(path)
    np.testing.assert_allclose(back.grid.affine[:3, 3], np.multiply(signs, (10, 20, 30)))
    np.testing.assert_allclose(back.grid.affine[:3, 2], np.multiply(signs, (0, 2, 0)))
    image = sitk.ReadImage(str(path))
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((3, 2, 1)), back.grid.affine[:3] @ (1, 2, 3, 1))
    assert np.array_equal(sitk.GetArrayFromImage(image), back.array)


BASE = ("type: uchar", "dimension: 2", "sizes: 4 3", "encoding: raw")


def read_bytes(tmp_path: Path, data: bytes):
    (tmp_path / "a.nrrd").write_bytes(data)
    return read_nrrd(tmp_path / "a.nrrd")


def test_the_plain_forms_of_the_format_are_read(tmp_path):
    pixels = bytes(range(12))
    assert read_bytes(tmp_path, header(*BASE, payload=pixels)).grid.spacing_source == "unknown"
    assert read_bytes(tmp_path, header(*BASE, "spacings: 0.5 2", payload=pixels)).grid.spacing_mm.tolist() == [
        1,
        2,
        0.5,
    ]
    skipping = header(*BASE, "line skip: 1", "byte skip: 2", payload=b"a line\nxx" + pixels)
    assert read_bytes(tmp_path, skipping).array.ravel().tolist() == list(range(12))
    at_end = header(*BASE, "byte skip: -1", payload=b"whatever" + pixels)
    assert read_bytes(tmp_path, at_end).array.ravel().tolist() == list(range(12))
    packed = header(
        "type: uchar", "dimension: 2", "sizes: 4 3", "encoding: gzip", payload=gzip.compress(pixels, mtime=0)
    )
    assert read_bytes(tmp_path, packed).array.ravel().tolist() == list(range(12))
    windows = header(*BASE, 'space units: "cm" "cm"', "# a remark", "key:=a: b", payload=pixels).replace(
        b"\n", b"\r\n", 6
    )
    assert read_bytes(tmp_path, windows).array.shape == (1, 3, 4)


def test_the_axis_that_is_not_space_is_found_wherever_it_stands(tmp_path):
    array = ramp((2, 3, 4, 5), "uint8")  # frames, slices, rows, columns
    for place, moved in ((3, array), (0, np.moveaxis(array, 0, -1)), (1, np.moveaxis(array, 0, 2))):
        steps = ["(1,0,0)", "(0,1,0)", "(0,0,1)"]
        steps.insert(place, "none")
        sizes = [5, 4, 3]
        sizes.insert(place, 2)
        lines = (
            "type: uchar",
            "dimension: 4",
            "space: LPS",
            f"sizes: {' '.join(map(str, sizes))}",
            f"space directions: {' '.join(steps)}",
            "encoding: raw",
        )
        back = read_bytes(tmp_path, header(*lines, payload=np.ascontiguousarray(moved).tobytes()))
        assert isinstance(back, Cine) and np.array_equal(back.array, array)


def test_equal_colours_are_gray_and_opacity_is_left_out(tmp_path):
    gray = np.repeat(ramp((2, 3), "uint8")[..., None], 4, axis=-1)
    lines = ("type: uchar", "dimension: 3", "sizes: 4 3 2", "kinds: RGBA-color domain domain", "encoding: raw")
    assert read_bytes(tmp_path, header(*lines, payload=gray.tobytes())).array.shape == (1, 2, 3)


def small(*more: str, payload: bytes = b"", **changed: str) -> bytes:
    """A header of 4 x 3 bytes with some fields changed ("" leaves one out)."""
    fields = {"type": "uchar", "dimension": "2", "sizes": "4 3", "encoding": "raw"} | changed
    return header(*(f"{key}: {value}" for key, value in fields.items() if value), *more, payload=payload)


NAN = np.array([1, np.nan, 1, 1], "<f4").tobytes()
FLAT = "space directions: (1,0,0) (2,0,0) (0,0,1)"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (small(payload=bytes(11)), "cut short"),
        (small(encoding="gzip", payload=gzip.compress(bytes(11), mtime=0)), "cut short"),
        (small(encoding="gzip", payload=b"\x1f\x8bxxxx"), "damaged"),
        (small(type="block"), "type"),
        (small(type=""), "type"),
        (small(sizes="4 -3"), "sizes"),
        (small(sizes="4"), "numbers"),
        (small(encoding="bzip2"), "encoding"),
        (small(dimension="9", sizes="1 1 1 1 1 1 1 1 1"), "axes"),
        (small(dimension="x"), "numbers"),
        (small(sizes="1 1", payload=b"x"), "2 x 2"),
        (small(type="float", sizes="2 2", payload=NAN), "1 of 4"),
        (small("data file: ../secret"), "beside"),
        (small("data file: /etc/passwd"), "beside"),
        (small("data file: absent.raw"), "missing"),
        (
            small(
                "kinds: vector domain domain domain", type="float", dimension="4", sizes="3 2 2 2", payload=bytes(96)
            ),
            "vectors",
        ),
        (small("space: LPS", FLAT, dimension="3", sizes="2 2 2", payload=bytes(8)), "degenerate"),
        (small("line skip: -4", payload=bytes(12)), "skip"),
        (small("byte skip: many", payload=bytes(12)), "damaged"),
        (b"NRRD0005\n" + b"a line without sense\n" * 3, "field"),
        (b"NRRD0005\n" + b"#" * 300_000, "256 KiB"),
    ],
)
def test_what_is_no_image_is_refused_with_one_line(tmp_path, data, says):
    with pytest.raises(InputError, match=says) as caught:
        read_bytes(tmp_path, data)
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path):
    with pytest.raises(LimitError, match="30000"):
        read_bytes(
            tmp_path,
            header(
                "type: double",
                "dimension: 3",
                "sizes: 30000 30000 100",
                "encoding: gzip",
                payload=gzip.compress(bytes(99), mtime=0),
            ),
        )


def test_floats_in_the_file_system_of_the_reader_stay_outside(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(12))
    (tmp_path / "inner" / "a.nhdr").write_bytes(header(*BASE, "data file: ../secret.raw"))
    with pytest.raises(FormatError, match="beside"):
        read_nrrd(tmp_path / "inner" / "a.nhdr")
