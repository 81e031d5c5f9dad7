#!/usr/bin/env bash
# Trains styles for checkpoints/ on a machine with an NVIDIA GPU, where no Rust is needed: PyTorch 2.11 (CUDA 13.0) there
# brings the libraries. From then on their cards hold their recipes, and `cargo xtask collection` trains them again.
#
#   tests/gpu/collection.sh TRAINER VGG19 PHOTOS VAL_PHOTOS PAINTINGS OUT NAME...
#
# TRAINER is the program (built anywhere with `cargo build --release`), VGG19 the loss network (safetensors up to relu5_1 is
# enough), PAINTINGS a folder with the files that collection.tsv names; NAMEs are its first column. OUT receives
# NAME.safetensors and log.txt, with the losses on VAL_PHOTOS at 256 and 512 px. STEPS, BATCH, OPTIMIZER, RATE, WEIGHT (of the
# style), LAYERS (that paint) and PEERS (a folder with lengstrom-*.safetensors to be measured beside) may be set. With
# RAW_WEIGHT, RAW_STEPS more (as many as STEPS) go by what the peers are judged by: style in raw units, so much of it.
set -euo pipefail
if [ $# -lt 7 ]; then
    sed -n '5,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$1 vgg19=$2 photos=$3 val=$4 paintings=$5 out=$6
shift 6
steps=${STEPS:-5000} batch=${BATCH:-16}
list=$(dirname "$0")/collection.tsv
runs=$(mktemp -d)
. "$(dirname "$0")/begin.sh" "$out"
for name in "$@"; do
    IFS=$'\t' read -r _ painting weight deepest side title artist year < <(grep -P "^$name\t" "$list")
    layers=${LAYERS:-relu1_1=0.5,relu2_1=0.5,relu3_1,relu4_1=3,relu5_1=$deepest}
    echo "== $name"
    time "$trainer" train --device cuda --precision bf16 --style "$paintings/$painting" --data "$photos" --val-data "$val" \
        --loss-net "$vgg19" --steps "$steps" --batch "$batch" --size 256 --optimizer "${OPTIMIZER:-muon}" --lr "${RATE:-6e-3}" --warmup 100 --resident auto \
        --style-unit painting --content-weight 1 --style-weight "${WEIGHT:-$weight}" --style-layers "$layers" --tv-weight 30 --grid-weight 10000 --zoom 1.75 --style-size "$side" \
        --preview-every 0 --log-every 500 --runs "$runs" --name "$name" \
        --title "$title" --artist "$artist" --year "$year" --licence "public domain"
    cp "$runs/$name/$name.safetensors" "$out/"
    if [ -n "${RAW_WEIGHT:-}" ]; then
        time "$trainer" train --device cuda --precision bf16 --style "$paintings/$painting" --data "$photos" --val-data "$val" \
            --loss-net "$vgg19" --steps "${RAW_STEPS:-$steps}" --batch "$batch" --size 256 --optimizer muon --lr 2e-3 --resident auto \
            --from "$out/$name.safetensors" --style-unit raw --content-weight 1 --style-weight "$RAW_WEIGHT" \
            --style-layers relu1_1,relu2_1,relu3_1,relu4_1 --tv-weight 5 --grid-weight 2000 --zoom 2.25 --zoom-style-power 1.2 \
            --preview-every 0 --log-every 500 --runs "$runs/raw" --name "$name" \
            --title "$title" --artist "$artist" --year "$year" --licence "public domain"
        cp "$runs/raw/$name/$name.safetensors" "$out/"
    fi
    case $name in
        great-wave) peer=wave ;;
        the-scream) peer=scream ;;
        shipwreck-of-the-minotaur) peer=wreck ;;
        *) peer=$name ;;
    esac
    beside=()
    [ -f "${PEERS:-}/lengstrom-$peer.safetensors" ] && beside=(--style "$PEERS/lengstrom-$peer.safetensors")
    for size in 256 512; do
        "$trainer" eval --device cuda --style "$out/$name.safetensors" "${beside[@]}" --data "$val" \
            --painting "$paintings/$painting" --loss-net "$vgg19" --size $size
    done
done
