"""Films become cines: every frame, in order, at its time."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.limits import Limits
from isocenter.io.video import read_video


def film(path, frames, *, fps: float = 25, codec: str = "FFV1") -> None:
    """Write (rows, columns, 3) frames; FFV1 is lossless."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, frames[0].shape[1::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()


def gray_frames(n: int = 6) -> list[np.ndarray]:
    return [np.full((32, 48, 3), 20 + 30 * k, np.uint8) for k in range(n)]


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "FFV1"), ("a.avi", "MJPG"), ("a.mp4", "mp4v")])
def test_frames_keep_their_order_and_times(tmp_path, name, codec):
    film(tmp_path / name, gray_frames(), fps=12.5, codec=codec)
    cine = read_video(tmp_path / name)
    assert cine.array.shape == (6, 1, 32, 48) and cine.unit == "a.u."
    assert np.abs(cine.array[:, 0, 16, 24].astype(int) - (20 + 30 * np.arange(6))).max() <= 3
    np.testing.assert_allclose(cine.times_s, np.arange(6) / 12.5)
    assert cine.axis == "time" and not cine.grid.spacing_known and cine.source.kind == "video"


def test_one_coloured_frame_makes_a_coloured_film(tmp_path):
    frames = gray_frames()
    frames[4] = frames[4].copy()
    frames[4][:16, :, 0] = 255
    film(tmp_path / "a.avi", frames, codec="MJPG")
    cine = read_video(tmp_path / "a.avi")
    assert cine.array.shape == (6, 1, 32, 48, 3) and cine.unit == "sRGB"
    red, _, blue = cine.array[4, 0, 8, 24].astype(int)
    assert red - blue > 60
    assert np.ptp(cine.array[1, 0, 8, 24].astype(int)) <= 3


def test_a_wrong_suffix_does_not_matter(tmp_path):
    film(tmp_path / "a.avi", gray_frames(), codec="MJPG")
    (tmp_path / "a.avi").rename(tmp_path / "a.png")
    assert len(read_video(tmp_path / "a.png").times_s) == 6


def test_long_and_large_films_are_refused(tmp_path):
    film(tmp_path / "a.avi", gray_frames(), codec="MJPG")
    for limits in (Limits(video_frames=5), Limits(object_bytes=5000), Limits(frame_pixels=1000), Limits(file_bytes=99)):
        with pytest.raises(LimitError):
            read_video(tmp_path / "a.avi", limits=limits)


def test_damaged_films_are_refused(tmp_path, capfd):
    film(tmp_path / "a.mp4", gray_frames(), codec="mp4v")
    data = (tmp_path / "a.mp4").read_bytes()
    for broken in (b"", data[:40], b"RIFF\0\0\0\0AVI LIST" + bytes(99), data.replace(b"moov", b"nope")):
        (tmp_path / "b.mp4").write_bytes(broken)
        with pytest.raises(FormatError):
            read_video(tmp_path / "b.mp4")
    assert capfd.readouterr() == ("", "")


def test_a_film_that_ends_early_is_refused(tmp_path):
    film(tmp_path / "a.avi", [np.full((48, 64, 3), n, np.uint8) for n in range(60)], codec="MJPG")
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data[: len(data) // 2])
    with pytest.raises(FormatError, match="60 frames"):
        read_video(tmp_path / "a.avi")


def test_a_name_is_never_a_pattern_or_a_protocol(tmp_path, monkeypatch):
    film(tmp_path / "a.avi", gray_frames(), codec="MJPG")
    monkeypatch.chdir(tmp_path)
    for name in ("a%02d.avi", "concat:a.avi|a.avi", "-i"):
        (tmp_path / name).write_bytes((tmp_path / "a.avi").read_bytes())
        assert len(read_video(Path(name)).times_s) == 6
