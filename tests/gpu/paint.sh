#!/usr/bin/env bash
# Measures and checks painting on a machine with an NVIDIA GPU, where no Rust is needed: PyTorch 2.11 (CUDA 13.0) there brings
# the libraries.
#
#   tests/gpu/paint.sh INFER STYLE PHOTO OUT [PEERS_SCRIPT]
#
# INFER is the program (built anywhere with `cargo build --release`), STYLE a style file. Times pictures up to 3840x2160 in f16,
# bf16 and f32, beside PyTorch and torch.compile if PEERS_SCRIPT times them; compares the GPU's pictures with the CPU's; and
# paints a picture that no GPU holds whole. OUT receives pictures and log.txt.
set -euo pipefail
if [ $# -lt 4 ]; then
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
infer=$1 style=$2 photo=$3 out=$4 peers=${5:-}
. "$(dirname "$0")/begin.sh" "$out"
for precision in f16 bf16 f32; do
    echo "== $precision"
    "$infer" bench --size 512x512 --size 1024x1024 --size 3840x2160 --rounds 20 --device cuda --precision "$precision" --json
done
if [ -n "$peers" ]; then
    python3 "$peers" 512 1024 3840x2160 --device cuda --rounds 20 --engines eager,channels_last,bf16,compile_bf16 | grep median
fi

echo "== the same picture"
"$infer" image "$photo" --style "$style" --device cpu -o "$out/cpu.png" --overwrite
for precision in f16 bf16 f32; do
    "$infer" image "$photo" --style "$style" --device cuda --precision "$precision" -o "$out/$precision.png" --overwrite
done
python3 - "$out" <<'PYTHON'
import sys
import numpy as np
from PIL import Image

load = lambda name: np.asarray(Image.open(f"{sys.argv[1]}/{name}.png").convert("RGB"), dtype=np.float64)
cpu = load("cpu")
for name in ("f16", "bf16", "f32"):
    difference = load(name) - cpu
    mean_square = (difference**2).mean()
    psnr_db = 10 * np.log10(255**2 / mean_square) if mean_square else float("inf")
    print(f"{name}: {psnr_db:.1f} dB from the CPU's f32, largest difference {np.abs(difference).max():.0f} levels")
PYTHON

echo "== larger than the memory: painted in bands, or refused in one line"
"$infer" image "$photo" --style "$style" --device cuda --precision f32 --scale 16 -o "$out/large.jpg" --overwrite --json || true
nvidia-smi --query-gpu=memory.used --format=csv,noheader
