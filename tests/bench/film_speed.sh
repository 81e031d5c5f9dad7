#!/usr/bin/env bash
# Times a film from file to file beside the bare network at its size, in turns in one run: what decoding, steadying, encoding and
# their threads cost.
#
#   tests/bench/film_speed.sh INFER FILM STYLE [ROUNDS] [MORE ARGUMENTS OF infer video...]
#
# INFER is the program from `cargo build --release`, FILM one of some hundred frames. The program's own start is counted.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '5,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
infer=$1 film=$2 style=$3 rounds=${4:-3}
shift $(($# < 4 ? $# : 4))
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
size=$(ffprobe -v error -select_streams v:0 -show_entries stream=width,height -of csv=s=x:p=0 "$film")
bare() { "$infer" bench --size "$size" --rounds 12 --json | sed 's/"layers_ms.*/}/'; }

date -u
for ((round = 0; round < rounds; round++)); do
    bare
    for steady in "" --no-steady; do
        echo "film${steady:+ $steady}: $("$infer" video "$film" -s "$style" -o "$folder/out.mp4" --overwrite --json $steady "$@")"
    done
done
bare
