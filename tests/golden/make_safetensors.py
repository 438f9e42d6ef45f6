"""Makes numpy.safetensors, which tests/data/test_safetensors.c reads: pip install safetensors==0.8.0 numpy."""
import pathlib

import numpy
from safetensors.numpy import save_file

save_file(
    {
        "encoder.weight": numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4) / 8,
        "step": numpy.array(123456789012345, dtype=numpy.int64),
        "mask": numpy.array([1, 0, 255], dtype=numpy.uint8),
        "empty": numpy.zeros((0, 5), dtype=numpy.float32),
        "gr\u00f6\u00dfe": numpy.array([-1.5], dtype=numpy.float64),
    },
    pathlib.Path(__file__).with_name("numpy.safetensors"),
    metadata={"made": "by numpy"},
)
