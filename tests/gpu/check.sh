#!/usr/bin/env bash
# Checks the programs on a machine with an NVIDIA GPU, where no Rust is needed: PyTorch 2.11 (CUDA 13.0) there brings the
# libraries. Trains on the GPU in f32 and bf16, paints on the GPU and on the CPU, and compares the two pictures.
#
#   tests/gpu/check.sh PROGRAMS PAINTING PHOTOS VAL_PHOTOS LOSS_NET OUT [STEPS]
#
# PROGRAMS is the folder with `trainer` and `infer` (built anywhere with `cargo build --release`), OUT receives the run folder,
# the pictures and log.txt. Prints images/s at the end of training, the losses, and the largest difference between the pictures.
set -euo pipefail
if [ $# -lt 6 ]; then
    sed -n '5,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
programs=$1 painting=$2 photos=$3 val_photos=$4 loss_net=$5 out=$6 steps=${7:-300}
. "$(dirname "$0")/begin.sh" "$out"
for precision in f32 bf16; do
    "$programs/trainer" train --style "$painting" --data "$photos" --val-data "$val_photos" --loss-net "$loss_net" \
        --runs "$out/runs" --name "gpu-$precision" --overwrite --steps "$steps" --log-every 50 --device cuda \
        --precision "$precision"
done
# A batch that no GPU holds ends in one line that names one that fits.
"$programs/trainer" train --style "$painting" --data "$photos" --loss-net "$loss_net" --runs "$out/runs" --name too-large \
    --overwrite --steps 1 --batch 4000 --size 512 --device cuda --preview-every 0 && exit 1
nvidia-smi --query-gpu=memory.used --format=csv,noheader

photo=$(find "$val_photos" -name '*.jpg' | sort | head -n 1)
for device in cuda cpu; do
    "$programs/infer" image "$photo" --style "$out/runs/gpu-bf16/gpu-bf16.safetensors" --device "$device" \
        -o "$out/$device.png" --overwrite
done
python3 - "$out" <<'PYTHON'
import sys
import numpy as np
from PIL import Image
gpu, cpu = (np.asarray(Image.open(f"{sys.argv[1]}/{device}.png")).astype(int) for device in ("cuda", "cpu"))
difference = abs(gpu - cpu)
print(f"GPU against CPU: largest difference {difference.max()} of 255, mean {difference.mean():.4f}")
sys.exit(difference.max() > 4)
PYTHON
