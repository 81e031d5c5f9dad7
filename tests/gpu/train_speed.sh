#!/usr/bin/env bash
# How fast a training step is on an NVIDIA GPU, beside PyTorch's on the same GPU in the same run.
#
#   tests/gpu/train_speed.sh PROGRAMS PEERS_TRAIN_PY OUT
#
# PROGRAMS is the folder with `trainer` (`cargo build --release`, built anywhere); PEERS_TRAIN_PY a script that times the same
# recipe in PyTorch and takes --net --batch --size --steps --mode eager|channels_last|bf16|compile --device, printing
# "... N images/s"; OUT receives log.txt. PyTorch 2.11 (CUDA 13.0) on the machine brings the libraries.
#
# To hold: at least 5 times PyTorch eager, 2 times its best mode, 40 % of the measured bf16 matrix ceiling at a good batch.
set -euo pipefail
if [ $# -ne 3 ]; then
    sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
programs=$1 peers=$2 out=$3
mkdir -p "$out"
torch_lib=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')
ours() { LD_LIBRARY_PATH=$torch_lib "$programs/trainer" bench --recipe pytorch-examples --device cuda --steps 20 "$@"; }
theirs() { python3 "$peers" --net vgg16 --device cuda --steps 20 "$@"; }

exec > >(tee "$out/log.txt") 2>&1
date -u
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader
for batch in 4 16 64; do
    echo "== batch $batch, 256 px"
    for mode in eager channels_last bf16 compile; do
        theirs --batch "$batch" --size 256 --mode "$mode" || echo "PyTorch $mode failed"
    done
    for precision in f32 tf32 bf16; do
        ours --batch "$batch" --size 256 --precision "$precision"
        ours --batch "$batch" --size 256 --precision "$precision" --json
    done
done
nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader
