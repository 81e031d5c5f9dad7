#!/usr/bin/env python3
"""Make ssim.safetensors: the structural similarity that scikit-image gives (numpy, safetensors, scikit-image).

    python tests/goldens/make_ssim_golden.py              # --check: byte for byte, writes nothing

With Wang et al.'s settings: gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255. Pictures are
[1, 1, 33, 47] bytes of the hash that make_goldens.py describes:
    noise.N      hashed_bytes "ssim.N"
    blocks.N     hashed_bytes "ssim.blocks.N" [1, 1, 7, 10], each value over 5x5 pixels, cut to 33x47
The cases, each a scalar as [1]:
    unlike       noise.a and noise.b
    structured   blocks.a, and 0.8 * blocks.a + 0.2 * noise.a
    inverted     blocks.a, and 255 - blocks.a
"""
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from skimage.metrics import structural_similarity

MASK = (1 << 64) - 1
HEIGHT, WIDTH, BLOCK = 33, 47, 5


def fnv1a64(name):
    h = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def splitmix64(x):
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def hashed_bytes(name, height, width):
    start = fnv1a64(name) * 0x9E3779B97F4A7C15
    values = [splitmix64((start + i) & MASK) >> 56 for i in range(height * width)]
    return np.array(values, dtype=np.float64).reshape(height, width)


def blocks(name):
    small = hashed_bytes(name, -(-HEIGHT // BLOCK), -(-WIDTH // BLOCK))
    return small.repeat(BLOCK, 0).repeat(BLOCK, 1)[:HEIGHT, :WIDTH]


def ssim(a, b):
    return structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )


def main():
    noise_a, noise_b = (hashed_bytes(f"ssim.{name}", HEIGHT, WIDTH) for name in "ab")
    blocks_a = blocks("ssim.blocks.a")
    cases = {
        "unlike": ssim(noise_a, noise_b),
        "structured": ssim(blocks_a, 0.8 * blocks_a + 0.2 * noise_a),
        "inverted": ssim(blocks_a, 255 - blocks_a),
    }
    tensors = {name: np.array([value], dtype=np.float32) for name, value in cases.items()}
    tensors["head.ssim.a"] = noise_a.reshape(-1)[:16].astype(np.float32)
    data = save(tensors, metadata={"generator": Path(__file__).name})
    path = Path(__file__).with_name("ssim.safetensors")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if path.read_bytes() == data else f"{path.name} differs")
    path.write_bytes(data)
    print(cases)


main()
