#!/usr/bin/env python3
"""Check ONNX files and run them, beside what they are to paint.

    python tests/onnx/compare.py [--most 1e-4] STYLE.onnx ...         # onnx, onnxruntime, numpy, safetensors

Beside each STYLE.onnx lies STYLE.safetensors with pairs photo.HxW and painting.HxW, f32 [1, 3, H, W] of levels 0..255. Prints a
line for each size: the file, the size, and the largest difference as a part of the largest level. Ends with 1 where one is larger
than --most.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=float, default=1e-4)
    parser.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()
    is_within = True
    for path in args.files:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        pictures = load_file(path.with_suffix(".safetensors"))
        for name in sorted(name for name in pictures if name.startswith("photo.")):
            size = name.removeprefix("photo.")
            expected = pictures[f"painting.{size}"]
            (found,) = session.run(["painting"], {"byte_rgb": pictures[name]})
            if found.shape != expected.shape:
                sys.exit(f"{path.name} {size}: {found.shape} instead of {expected.shape}")
            error = np.abs(found - expected).max() / np.abs(expected).max()
            print(f"{path.name} {size} {error:.1e}")
            is_within &= bool(error <= args.most)
    sys.exit(0 if is_within else 1)


main()
