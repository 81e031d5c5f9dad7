#!/bin/sh
# Photos a second, ours against PIL with torchvision, from a set made of any folder of photos:
#     tests/bench/decode_speed.sh FOLDER [--count N] [--rounds N]
# Needs a Python with torch, torchvision and Pillow; PYTHON names it.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cargo build --quiet --release --manifest-path "$here/../../Cargo.toml" -p datasets --example decode_speed
target=$(cargo metadata --format-version 1 --no-deps --manifest-path "$here/../../Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
exec "${PYTHON:-python3}" "$here/decode_speed.py" --program "$target/release/examples/decode_speed" "$@"
