#!/usr/bin/env bash
# Times our training step and another program's in turns, so that both see the same machine, and prints the ratio.
#
#   tests/bench/train_speed.sh PEER.py [PEER_MODE] [PRECISION] [ROUNDS] [BATCH] [SIZE] [DEVICE]
#
# PEER.py is called as `python PEER.py --mode PEER_MODE --batch .. --size .. --steps .. --device ..` (with $PYTHON for
# python, if set) and must print `.. images/s`. The median of the rounds counts.
set -euo pipefail

peer=${1:?the path of the other program\'s step, a Python file}
peer_mode=${2:-eager}
precision=${3:-f32}
rounds=${4:-3}
batch=${5:-4}
size=${6:-256}
device=${7:-cpu}
steps=3

peer=$(realpath "$peer")
cd "$(dirname "$0")/../.."
cargo build --release --quiet -p trainer
trainer=$(realpath "${CARGO_TARGET_DIR:-target}/release/trainer")

ours() {
    "$trainer" bench --recipe pytorch-examples --batch "$batch" --size "$size" --device "$device" \
        --precision "$precision" --steps "$steps" --json |
        grep -o '"images_per_s":[0-9.]*' | cut -d: -f2
}

theirs() {
    (cd "$(dirname "$peer")" && "${PYTHON:-python3}" "$peer" --mode "$peer_mode" --batch "$batch" --size "$size" \
        --steps "$steps" --device "$device") |
        grep -o '[0-9.]* images/s' | cut -d' ' -f1
}

median() {
    sort -g | awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'
}

our_rates=()
their_rates=()
for round in $(seq "$rounds"); do
    our_rates+=("$(ours)")
    their_rates+=("$(theirs)")
    echo "round $round: ours ${our_rates[-1]} images/s, theirs ${their_rates[-1]} images/s"
done
ours=$(printf '%s\n' "${our_rates[@]}" | median)
theirs=$(printf '%s\n' "${their_rates[@]}" | median)
awk -v ours="$ours" -v theirs="$theirs" -v precision="$precision" -v mode="$peer_mode" 'BEGIN {
    printf "%s against %s: %.2f and %.2f images/s, %.2f times as fast\n", precision, mode, ours, theirs, ours / theirs
}'
