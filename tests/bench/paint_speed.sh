#!/usr/bin/env bash
# Times painting beside what a user could run instead, in turns in one run: `infer bench` before and after a script that times
# the same network in PyTorch, torch.compile, ONNX Runtime and OpenVINO and prints one line for each.
#
#   tests/bench/paint_speed.sh INFER PYTHON PEERS_SCRIPT [SIDE...]
#
# INFER is the program from `cargo build --release`, PYTHON one that has torch, onnx, onnxruntime and openvino. Sides are in
# pixels, 512 and 1024 unless said. The programs use as many threads as there are cores.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '5,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
infer=$1 python=$2 peers=$3
shift 3
sides=("${@:-512 1024}")
# shellcheck disable=SC2206
sides=(${sides[*]})
ours() {
    for side in "${sides[@]}"; do
        "$infer" bench --size "${side}x$side" --rounds 7 --json
    done
}

date -u
ours
OMP_NUM_THREADS=$(nproc) "$python" "$peers" "${sides[@]}" --rounds 5 \
    --engines eager,channels_last,compile,ort,openvino | grep median
ours
