#!/usr/bin/env bash
# Optimises pictures on a machine with an NVIDIA GPU, where no Rust is needed: PyTorch 2.11 (CUDA 13.0) there brings the
# libraries.
#
#   tests/gpu/gatys.sh TRAINER VGG19 PHOTO PAINTING OUT
#
# TRAINER is the program (built anywhere with `cargo build --release`), VGG19 the loss network (safetensors up to relu5_1 is
# enough). Times a plain run and the ladder at 512 px in each precision, paints at 2048 px, prints the losses of both devices after the
# same 20 iterations, and paints by every preset. OUT receives pictures and log.txt.
set -euo pipefail
if [ $# -lt 5 ]; then
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$1 vgg19=$2 photo=$3 painting=$4 out=$5
. "$(dirname "$0")/begin.sh" "$out"
gatys() { "$trainer" gatys --content "$photo" --style "$painting" --loss-net "$vgg19" --overwrite "$@"; }

echo "== 500 plain iterations, and the ladder, at 512 px"
time gatys --device cuda --scales none --iterations 500 --tolerance 0 -o "$out/plain.png"
time gatys --device cuda -o "$out/ladder.png"
time gatys --device cuda --precision bf16 -o "$out/ladder-bf16.png"
time gatys --device cuda --precision tf32 -o "$out/ladder-tf32.png"

echo "== 2048 px"
time gatys --device cuda --size 2048 -o "$out/large.png"

echo "== the same loss on both devices after 20 iterations at 256 px"
for device in cpu cuda; do
    gatys --device $device --size 256 --scales none --iterations 20 --json -o "$out/$device.png" | tail -n 1
done

echo "== every preset over VGG-19"
for preset in $("$trainer" gatys --list-presets | sed -n '/^[a-z]/p' | grep -v -e resnet50 -e inception -e texture -e inpaint); do
    gatys --device cuda --preset "$preset" --size 512 -o "$out/$preset.png" || echo "$preset failed"
done
