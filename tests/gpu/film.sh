#!/usr/bin/env bash
# Measures films on a machine with an NVIDIA GPU, where no Rust is needed: PyTorch 2.11 (CUDA 13.0) there brings the libraries.
#
#   tests/gpu/film.sh INFER STYLE OUT
#
# INFER is the program (built anywhere with `cargo build --release`), STYLE a style file. ffmpeg has to be there; it draws the
# films. Times the bare network, decoding and encoding alone, and the whole, at 1080p and 640x360, with and without steadying, so
# that what bounds the whole can be told. OUT receives log.txt.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
infer=$1 style=$2 out=$3
. "$(dirname "$0")/begin.sh" "$out"
seconds() { # NAME COMMAND...
    local name=$1 start end
    shift
    start=$(date +%s.%N)
    "$@"
    end=$(date +%s.%N)
    echo "$name: $(echo "$end - $start" | bc) s"
}
nproc
for size in 640x360 1920x1080; do
    film=$out/$size.mp4 frames=600
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=$size:rate=30" -f lavfi -i sine=frequency=440 -t 20 \
        -vf noise=alls=8:allf=t -c:v libx264 -preset fast -pix_fmt yuv420p -c:a aac "$film"
    echo "== $size, $frames frames"
    "$infer" bench --size "$size" --rounds 40 --device cuda --json
    seconds "decoding alone" ffmpeg -v error -i "$film" -f rawvideo -pix_fmt rgb24 -y /dev/null
    seconds "decoding and encoding alone" ffmpeg -v error -i "$film" -vf format=rgb24 -c:v libx264 -preset veryfast -crf 18 \
        -pix_fmt yuv420p -y -f null /dev/null
    for steady in "" --no-steady; do
        "$infer" video "$film" -s "$style" --device cuda -o "$out/painted.mp4" --overwrite --json $steady
    done
done
nvidia-smi --query-gpu=memory.used --format=csv,noheader
