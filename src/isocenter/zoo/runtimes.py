"""The tenants of OpenVINO and ONNX Runtime: a graph in memory becomes something that runs on this machine's CPU."""

import threading
from collections.abc import Callable, Mapping

import numpy as np

from isocenter.core.errors import InputError, PackageError

_CAPABILITY_OF = {"f32": "FP32", "bf16": "BF16"}


class OpenVinoPredictor:
    """A graph compiled by OpenVINO for this CPU.

    precision   what the card ships: "bf16" computes in bfloat16 where the CPU has it, else in float32;
                "int8" is in the graph itself and the rest of it runs in float32
    threads     None: all cores
    """

    def __init__(self, onnx_bytes: bytes, *, precision: str = "f32", threads: int | None = None) -> None:
        import openvino

        core = openvino.Core()
        capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        hint = "bf16" if precision == "bf16" and _CAPABILITY_OF["bf16"] in capabilities else "f32"
        options: dict[str, object] = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            compiled = core.compile_model(core.read_model(onnx_bytes), "CPU", options)
        except RuntimeError as error:
            raise PackageError(
                "model.onnx: expected a graph that OpenVINO compiles, got one that it refuses"
            ) from error
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()
        self._names = tuple(output.get_any_name() for output in compiled.outputs)
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"
        self.precision = precision if precision == "int8" else hint
        self.notes: tuple[str, ...] = ()

    def run(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """Every output of the graph by name, float32."""
        batch = _as_batch(array)
        with self._lock:
            try:
                # share_outputs stays off: what is handed out must outlive the next call.
                results = self._request.infer([batch], share_inputs=True)
            except RuntimeError as error:
                raise _refused(batch) from error
            return {name: np.asarray(results[i], dtype=np.float32) for i, name in enumerate(self._names)}


class OnnxRuntimePredictor:
    """A graph run by ONNX Runtime's CPU provider, in the precision that the graph itself has."""

    def __init__(self, onnx_bytes: bytes, *, precision: str = "f32", threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class of their own
            raise PackageError("model.onnx: expected a graph that ONNX Runtime loads, got one it refuses") from error
        self._session = session
        self._input = session.get_inputs()[0].name
        self._names = tuple(output.name for output in session.get_outputs())
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        self.precision = precision if precision == "int8" else "f32"
        self.notes: tuple[str, ...] = ()

    def run(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """Every output of the graph by name, float32."""
        batch = _as_batch(array)
        try:
            results = self._session.run(None, {self._input: batch})
        except Exception as error:  # its errors share no base class of their own
            raise _refused(batch) from error
        return {name: np.asarray(result, dtype=np.float32) for name, result in zip(self._names, results, strict=True)}


class FunctionPredictor:
    """A plain function of an array as a predictor: for tests, and for models that need no graph.

    function   (N, C, …) float32 -> outputs by name
    """

    def __init__(
        self, function: Callable[[np.ndarray], Mapping[str, np.ndarray]], *, runtime: str = "function"
    ) -> None:
        self._function = function
        self.runtime = runtime
        self.precision = "f32"
        self.notes: tuple[str, ...] = ()

    def run(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """What the function gives, as float32."""
        return {name: np.asarray(out, dtype=np.float32) for name, out in self._function(_as_batch(array)).items()}


def _as_batch(array: np.ndarray) -> np.ndarray:
    """The input as C-contiguous float32. Raises InputError without batch and channel axes, or where not finite."""
    if array.ndim < 2:
        raise InputError(f"model input: expected (batch, channels, …), got shape {array.shape}")
    batch = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(batch).all():
        raise InputError("model input: expected finite numbers, got NaN or infinity")
    return batch


def _refused(batch: np.ndarray) -> InputError:
    return InputError(f"model input: expected a shape that the graph takes, got {batch.shape}")
