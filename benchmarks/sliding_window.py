"""A whole volume through a 3-D U-Net: our sliding window on OpenVINO against MONAI's on torch.

256 x 256 x 128 voxels, windows of 96, overlap one half, Gaussian weights, two threads; the same random weights (only
the speed counts, and how far the answers lie apart). MONAI's `sliding_window_inference` runs in torch's default and in
bfloat16 with channels_last. Needs the dev and train extras. `--quick` takes a volume of 128 x 128 x 96,
`--threads 1` one thread each, for a machine whose other core is busy.
"""

import io
import json
import logging
import resource
import sys
import time
import warnings

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from monai.networks.nets import BasicUNet

from isocenter.learning.compress import quantise_onnx
from isocenter.zoo.predict import Predictor
from isocenter.zoo.runtimes import OpenVinoPredictor
from isocenter.zoo.sliding import Windows, sliding_window

EDGE = 96
THREADS = int(sys.argv[sys.argv.index("--threads") + 1]) if "--threads" in sys.argv else 2
PEERS = ("MONAI, torch default", "MONAI, torch best")
Row = dict[str, object]
SHAPE = (96, 128, 128) if "--quick" in sys.argv else (128, 256, 256)


def network() -> torch.nn.Module:
    """MONAI's basic U-Net with batch normalisation, its statistics set by one pass over noise."""
    torch.manual_seed(0)
    unet = BasicUNet(
        spatial_dims=3, in_channels=1, out_channels=2, features=(32, 32, 64, 128, 256, 32), norm=("batch", {})
    )
    with torch.no_grad():
        unet.train()
        unet(torch.randn(2, 1, EDGE, EDGE, EDGE))
    return unet.eval()


def graph_of(unet: torch.nn.Module) -> bytes:
    stream = io.BytesIO()
    torch.onnx.export(
        unet, (torch.randn(1, 1, EDGE, EDGE, EDGE),), stream, input_names=["image"], output_names=["logits"],
        opset_version=18, dynamo=False,
    )  # fmt: skip
    return stream.getvalue()


def theirs(unet: torch.nn.Module, image: np.ndarray, *, best: bool) -> np.ndarray:
    batch = torch.from_numpy(image)[None]
    if best:
        unet, batch = unet.to(memory_format=torch.channels_last_3d), batch.to(memory_format=torch.channels_last_3d)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=best):
        return sliding_window_inference(batch, (EDGE,) * 3, 1, unet, overlap=0.5, mode="gaussian")[0].float().numpy()


def ours(predictor: Predictor, image: np.ndarray) -> np.ndarray:
    return sliding_window(predictor, image, windows=Windows((EDGE,) * 3))


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(THREADS)
    rng = np.random.default_rng(0)
    image = rng.normal(size=(1, *SHAPE)).astype(np.float32)
    unet = network()
    graph = graph_of(unet)
    windows = [image[None, :, z : z + EDGE, :EDGE, :EDGE] for z in (0, SHAPE[0] - EDGE)]
    small = quantise_onnx(graph, windows)
    predictors = {
        "ours (f32)": OpenVinoPredictor(graph, threads=THREADS),
        "ours (bf16)": OpenVinoPredictor(graph, precision="bf16", threads=THREADS),
        "ours (int8)": OpenVinoPredictor(small, precision="int8", threads=THREADS),
    }
    answers, seconds = {}, {}
    for name, predictor in predictors.items():
        start = time.perf_counter()
        answers[name] = ours(predictor, image)
        seconds[name] = time.perf_counter() - start
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for name, best in zip(PEERS, (False, True), strict=True):
        start = time.perf_counter()
        answers[name] = theirs(unet, image, best=best)
        seconds[name] = time.perf_counter() - start
    print(json.dumps([*comparison(answers, seconds), memory_row(memory_gb)], indent=1))


def comparison(answers: dict[str, np.ndarray], seconds: dict[str, float]) -> list[Row]:
    """Every one of ours against both of theirs, with its distance to torch's default in that answer's own spread."""
    reference = answers[PEERS[0]]
    apart = {name: float(np.abs(answer - reference).mean() / reference.std()) for name, answer in answers.items()}
    return [
        {"name": f"sliding window {SHAPE}, {mine} against {peer} (mean difference {apart[mine]:.1%} of the spread)",
         "ours": seconds[mine], "peer": seconds[peer], "ratio": seconds[peer] / seconds[mine], "unit": "s"}
        for mine in seconds if mine not in PEERS for peer in PEERS
    ]  # fmt: skip


def memory_row(memory_gb: float) -> Row:
    return {"name": "peak memory of ours, three precisions loaded, with torch", "ours": memory_gb, "peer": "-",
            "ratio": "-", "unit": "GiB"}  # fmt: skip


if __name__ == "__main__":
    main()
