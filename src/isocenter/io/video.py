"""Films (AVI, MP4, QuickTime, Matroska) as cines, decoded frame by frame inside the limits."""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source
from isocenter.io.boundary import require_image, untrusted
from isocenter.io.limits import LIMITS, Limits, check_file_size, check_frame, check_shape

# No messages of FFmpeg's own about damaged films; OpenCV asks for this once, when it meets its first film.
os.putenv("OPENCV_FFMPEG_LOGLEVEL", "-8")
_FASTEST_FPS = 1000.0
# Films are stored as luminance and colour difference: gray comes back with colours a few steps of 255 apart.
_ROUNDING = 4
# Containers count frames by duration times rate: a few more or less is no damage.
_MISCOUNTED = 2


def read_video(path: Path, *, limits: Limits = LIMITS) -> Cine:
    """The film's frames over time, (time, 1, rows, columns), with a last colour axis unless every frame is gray.

    Times follow from the frame rate; where the file states none, the axis counts frames. The pixel size is unknown.

    Raises FormatError for what is damaged, LimitError for a film that is too long or too large.
    """
    check_file_size(path.stat().st_size, limits=limits)
    with path.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    with untrusted("a film (AVI, MP4)"):
        capture = _opened(path)
        try:
            frames = _frames_of(capture, limits)
            rate = float(capture.get(cv2.CAP_PROP_FPS))
        finally:
            capture.release()
    array = _stacked(frames)
    is_timed = 0 < rate <= _FASTEST_FPS
    times_s = np.arange(len(array)) / (rate if is_timed else 1.0)
    grid = Grid.of_pixels((1, array.shape[2], array.shape[3]))
    unit = "sRGB" if array.ndim == 5 else "a.u."
    source = Source(kind="video", digests=(digest,), paths=(path,))
    return Cine(array, times_s, grid, unit, axis="time" if is_timed else "frame", source=source)


def _opened(path: Path) -> cv2.VideoCapture:
    """The film's decoder.

    An absolute path, for FFmpeg takes "concat:…" and the like for a protocol; FFmpeg alone, for another back end reads
    "%02d" in a name as a pattern of files; quiet, for what is wrong is told by our own line.
    """
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    finally:
        cv2.utils.logging.setLogLevel(level)


def _frames_of(capture: cv2.VideoCapture, limits: Limits) -> list[np.ndarray]:
    """Every frame, gray where its colours are equal."""
    if not capture.isOpened():
        raise FormatError("expected a film, the file is damaged or its codec is unknown; convert it to MP4 (H.264)")
    check_frame(
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), 3, limits=limits
    )
    frames: list[np.ndarray] = []
    while True:
        more, picture = capture.read()
        if not more:
            break
        if len(frames) == limits.video_frames:
            raise LimitError(f"expected a film of at most {limits.video_frames} frames, got more; cut it")
        frame = _gray_or_colour(picture)
        if frames and frame.shape[:3] != frames[0].shape[:3]:
            raise FormatError("expected frames of one size, got several; convert the film to MP4 (H.264)")
        check_shape((len(frames) + 1, *frame.shape), 1, limits=limits)
        frames.append(frame)
    if not frames:
        raise FormatError("expected a film with frames, none could be decoded; convert it to MP4 (H.264)")
    stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if stated - len(frames) > max(_MISCOUNTED, stated // 20):
        raise FormatError(
            f"expected {stated} frames as the header says, {len(frames)} could be decoded: "
            "the film is damaged or cut short; copy it again"
        )
    require_image(frames[0].shape[:3])
    return frames


def _gray_or_colour(picture: np.ndarray) -> np.ndarray:
    """(1, rows, columns) where the colours are equal but for a codec's rounding, else (1, rows, columns, 3) RGB."""
    is_gray = int(np.ptp(picture, axis=-1).max()) <= _ROUNDING
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY if is_gray else cv2.COLOR_BGR2RGB))[np.newaxis]


def _stacked(frames: list[np.ndarray]) -> np.ndarray:
    """The frames as one array; the list is emptied on the way, so that the film is never held twice."""
    is_colour = any(frame.ndim == 4 for frame in frames)
    shape = (len(frames), *frames[0].shape[:3])
    array = np.empty((*shape, 3) if is_colour else shape, dtype=np.uint8)
    for number in range(len(frames) - 1, -1, -1):
        frame = frames.pop()
        array[number] = frame[..., np.newaxis] if is_colour and frame.ndim == 3 else frame
    return array
