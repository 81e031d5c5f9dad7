#!/usr/bin/env python3
"""Make imports.safetensors: what the networks of other projects give, under those projects' own names; and two files as
torch.save writes them.

    python tests/goldens/make_import_goldens.py           # torch 2.11.0, numpy, safetensors
--check writes nothing and compares with what is there. --report adds how far a float32 run of the same lies off.
    python tests/goldens/make_import_goldens.py --photo PHOTO.png --network FILE.safetensors --painted PAINTED.png
compares what `infer` has painted (PNG) with what the definition here gives for the same photo and a real network's file.

The definitions below say what each project's network computes. Weights come from the hash that make_goldens.py describes, by the
project's own names: convolutions hashed_normalish with std 1/sqrt(3 fan_in), biases too; norms' scales 1 + std 0.1, shifts
std 0.1. <case>.HxW is the painting, byte_rgb, of hashed_bytes "net.input.HxW" [1,3,H,W]. As ours does, a picture whose sides are
no multiples of 4 is continued by its reflection first, and the painting cut back; at multiples of 4 (12 at least) this is the
project's own result and nothing else. Metadata shapes.<case>: the names and shapes as JSON.

import-zip.pth, import-legacy.pth: a network of pytorch/examples with 2 channels, as torch.save writes it today, nested as a
training script may do, and as it did until 1.5, with the running statistics that its norms once kept.
"""
import argparse
import hashlib
import json
import math
import sys
from collections import OrderedDict
from pathlib import Path

# First of all: it settles which instructions are used.
from make_goldens import F64, encode, hashed_bytes, named, pad_picture, report, tanh150

import torch
import torch.nn.functional as F

SIZES = [(24, 32), (33, 31)]


# ---------------------------------------------------------------- pytorch/examples, of any width

def examples_shapes(width):
    w1, w2, w4 = width, 2 * width, 4 * width
    shapes = {}

    def layer(conv, norm, cin, cout, kernel):
        shapes[f"{conv}.conv2d.weight"] = (cout, cin, kernel, kernel)
        shapes[f"{conv}.conv2d.bias"] = (cout,)
        if norm:
            shapes[f"{norm}.weight"] = shapes[f"{norm}.bias"] = (cout,)

    layer("conv1", "in1", 3, w1, 9)
    layer("conv2", "in2", w1, w2, 3)
    layer("conv3", "in3", w2, w4, 3)
    for block in range(1, 6):
        for half in (1, 2):
            layer(f"res{block}.conv{half}", f"res{block}.in{half}", w4, w4, 3)
    layer("deconv1", "in4", w4, w2, 3)
    layer("deconv2", "in5", w2, w1, 3)
    layer("deconv3", None, w1, 3, 9)
    return shapes


def mirrored_conv(p, name, x, stride=1):
    weight = p[f"{name}.weight"]
    x = F.pad(x, (weight.shape[-1] // 2,) * 4, mode="reflect") if weight.shape[-1] > 1 else x
    return F.conv2d(x, weight, p[f"{name}.bias"], stride=stride)


def norm(p, name, x):
    return F.instance_norm(x, weight=p[f"{name}.weight"], bias=p[f"{name}.bias"], eps=1e-5)


def examples_forward(p, x):
    conv = lambda name, x, stride=1: mirrored_conv(p, f"{name}.conv2d", x, stride)
    larger = lambda x: F.interpolate(x, scale_factor=2, mode="nearest")
    for k, stride in ((1, 1), (2, 2), (3, 2)):
        x = F.relu(norm(p, f"in{k}", conv(f"conv{k}", x, stride)))
    for block in range(1, 6):
        y = F.relu(norm(p, f"res{block}.in1", conv(f"res{block}.conv1", x)))
        x = x + norm(p, f"res{block}.in2", conv(f"res{block}.conv2", y))
    x = F.relu(norm(p, "in4", conv("deconv1", larger(x))))
    x = F.relu(norm(p, "in5", conv("deconv2", larger(x))))
    return conv("deconv3", x)


# ---------------------------------------------------------------- rrmina

def rrmina_shapes(width, is_bottleneck):
    w1, w2, w4 = width, 2 * width, 4 * width
    shapes = {}

    def layer(name, cin, cout, kernel, conv="conv_layer", is_normed=True):
        sides = (cin, cout) if conv == "conv_transpose" else (cout, cin)
        shapes[f"{name}.{conv}.weight"] = (*sides, kernel, kernel)
        shapes[f"{name}.{conv}.bias"] = (cout,)
        if is_normed:
            shapes[f"{name}.norm_layer.weight"] = shapes[f"{name}.norm_layer.bias"] = (cout,)

    layer("ConvBlock.0", 3, w1, 9)
    layer("ConvBlock.2", w1, w2, 3)
    layer("ConvBlock.4", w2, w4, 3)
    for block in range(5):
        name = f"ResidualBlock.{block}"
        if is_bottleneck:
            layer(f"{name}.conv1", w4, w2, 1)
            layer(f"{name}.conv2", w2, w2, 3)
            layer(f"{name}.conv3", w2, w4, 1)
        else:
            layer(f"{name}.conv1", w4, w4, 3)
            layer(f"{name}.conv2", w4, w4, 3)
    layer("DeconvBlock.0", w4, w2, 3, "conv_transpose")
    layer("DeconvBlock.2", w2, w1, 3, "conv_transpose")
    layer("DeconvBlock.4", w1, 3, 9, is_normed=False)
    return shapes


def rrmina_forward(p, x):
    """Sees and gives B, G, R."""
    def layer(name, x, stride=1):
        return norm(p, f"{name}.norm_layer", mirrored_conv(p, f"{name}.conv_layer", x, stride))

    def larger(name, x):
        weight, bias = p[f"{name}.conv_transpose.weight"], p[f"{name}.conv_transpose.bias"]
        x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)
        return F.relu(norm(p, f"{name}.norm_layer", x))

    x = x.flip(1)
    for index, stride in ((0, 1), (2, 2), (4, 2)):
        x = F.relu(layer(f"ConvBlock.{index}", x, stride))
    for block in range(5):
        parts = [part for part in (1, 2, 3) if f"ResidualBlock.{block}.conv{part}.conv_layer.weight" in p]
        y = x
        for part in parts:
            y = layer(f"ResidualBlock.{block}.conv{part}", y)
            y = F.relu(y) if part != parts[-1] else y
        x = x + y
    x = larger("DeconvBlock.2", larger("DeconvBlock.0", x))
    return mirrored_conv(p, "DeconvBlock.4.conv_layer", x).flip(1)


# ---------------------------------------------------------------- lengstrom

def lengstrom_name(index):
    return f"Variable_{index}" if index else "Variable"


def lengstrom_shapes(width):
    w1, w2, w4 = width, 2 * width, 4 * width
    convs = [(9, 9, 3, w1), (3, 3, w1, w2), (3, 3, w2, w4)] + [(3, 3, w4, w4)] * 10
    # Of transposed ones the outputs come first.
    convs += [(3, 3, w2, w4), (3, 3, w1, w2), (9, 9, w1, 3)]
    channels = [w1, w2, w4] + [w4] * 10 + [w2, w1, 3]
    shapes = {}
    for layer, (conv, count) in enumerate(zip(convs, channels)):
        for place, shape in enumerate((conv, (count,), (count,))):
            shapes[lengstrom_name(3 * layer + place)] = shape
    return shapes


def lengstrom_forward(p, x):
    def normed(index, x):
        mean = x.mean((2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean((2, 3), keepdim=True)
        shift, scale = (p[lengstrom_name(index + k)].view(1, -1, 1, 1) for k in (1, 2))
        return scale * (x - mean) / torch.sqrt(variance + 1e-3) + shift

    def conv(index, x, stride=1):
        weight = p[lengstrom_name(index)].permute(3, 2, 0, 1)
        around = []
        for side in (x.shape[3], x.shape[2]):  # columns first, as F.pad wants them
            total = max((math.ceil(side / stride) - 1) * stride + weight.shape[-1] - side, 0)
            around += [total // 2, total - total // 2]
        return normed(index, F.conv2d(F.pad(x, around), weight, stride=stride))

    def larger(index, x):
        weight = p[lengstrom_name(index)].permute(3, 2, 0, 1)
        full = F.conv_transpose2d(x, weight, stride=2)
        return normed(index, full[..., : 2 * x.shape[2], : 2 * x.shape[3]])

    for index, stride in ((0, 1), (3, 2), (6, 2)):
        x = F.relu(conv(index, x, stride))
    for index in range(9, 39, 6):
        x = x + conv(index + 3, F.relu(conv(index, x)))
    x = F.relu(larger(39, x))
    x = F.relu(larger(42, x))
    return tanh150(conv(45, x))


# ---------------------------------------------------------------- the files

CASES = {
    "examples": (examples_shapes(8), examples_forward),
    "rrmina": (rrmina_shapes(8, False), rrmina_forward),
    "rrmina-resnext": (rrmina_shapes(8, True), rrmina_forward),
    "lengstrom": (lengstrom_shapes(8), lengstrom_forward),
}


def hashed(shapes, is_tensorflow):
    """In Rust: tests/src/parity/imports.rs."""
    def of(name, shape):
        if len(shape) == 4:
            fan_in = math.prod(shape[:3]) if is_tensorflow else math.prod(shape[1:])
            return named(shape, name, 1.0 / math.sqrt(3.0 * fan_in))
        is_scale = int(name.split("_")[1]) % 3 == 2 if is_tensorflow else name.endswith(".weight")
        return named(shape, name, 0.1) + (1 if is_scale else 0)

    return {name: of(name, shape) for name, shape in shapes.items()}


def painted(forward, p, x):
    height, width = x.shape[-2:]
    return forward(p, pad_picture(x))[..., :height, :width]


def make(dtype):
    out, about = {}, {"about": "made by tests/goldens/make_import_goldens.py, which says how"}
    for case, (shapes, forward) in CASES.items():
        p = {name: tensor.to(dtype) for name, tensor in hashed(shapes, case == "lengstrom").items()}
        about[f"shapes.{case}"] = json.dumps({name: list(shape) for name, shape in shapes.items()}, separators=(",", ":"))
        for height, width in SIZES:
            x = hashed_bytes((1, 3, height, width), f"net.input.{height}x{width}").to(dtype)
            out[f"{case}.{height}x{width}"] = painted(forward, p, x)
    return out, about


def write_saved(folder):
    network = OrderedDict(hashed(examples_shapes(2), False))
    nested = {"epoch": 2, "state_dict": OrderedDict((f"module.{name}", tensor) for name, tensor in network.items())}
    torch.save(nested, folder / "import-zip.pth")
    old = OrderedDict(network)
    for name, tensor in network.items():
        if name.split(".")[-2].startswith("in") and name.endswith(".weight"):
            old[name.replace("weight", "running_mean")] = torch.zeros_like(tensor)
            old[name.replace("weight", "running_var")] = torch.ones_like(tensor)
    torch.save(old, folder / "import-legacy.pth", _use_new_zipfile_serialization=False)


def compare(args):
    """The painting of a real network beside the definition's, in levels of 0..255."""
    import numpy as np
    from PIL import Image
    from safetensors.torch import load_file

    p = load_file(args.network)
    forward = lengstrom_forward if "Variable" in p else rrmina_forward if "ConvBlock.0.conv_layer.weight" in p else examples_forward
    picture = lambda path: torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).astype(np.float32))
    x = picture(args.photo).permute(2, 0, 1)[None]
    with torch.no_grad():
        own = forward(p, x)[..., : x.shape[2], : x.shape[3]].clamp(0, 255)
        ours = painted(forward, p, x).clamp(0, 255)
    found = picture(args.painted).permute(2, 0, 1)[None]
    difference = (found - ours.round()).abs()
    print(
        f"{Path(args.network).stem}: largest {difference.max():.0f} levels, {100 * (difference > 0).double().mean():.4f} % differ; "
        f"before rounding {(found - ours).abs().max():.3f}; "
        f"the project's own way with such sides: mean {(own - ours).abs().mean():.2f}, largest {(own - ours).abs().max():.0f}"
    )


def main():
    parser = argparse.ArgumentParser(description="Make imports.safetensors (see the head of this file).")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--check", action="store_true", help="write nothing, compare with what is there")
    parser.add_argument("--report", action="store_true", help="also run in float32 and say how far that lies off")
    parser.add_argument("--photo", help="compare paintings: the photo")
    parser.add_argument("--network", help="compare paintings: the network's file")
    parser.add_argument("--painted", help="compare paintings: what infer made of the photo")
    args = parser.parse_args()
    if args.photo:
        return compare(args)

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    tensors, about = make(F64)
    encoded = encode("imports", tensors, about)
    path = args.out / "imports.safetensors"
    same = path.exists() and path.read_bytes() == encoded
    if args.check:
        print(f"imports: {'same' if same else 'DIFFERENT'}")
    else:
        path.write_bytes(encoded)
        write_saved(args.out)
        print(f"imports: {len(tensors)} tensors, {len(encoded)} bytes, sha256 {hashlib.sha256(encoded).hexdigest()[:16]}")
    if args.report:
        report("imports", tensors, make(torch.float32)[0])
    return 1 if args.check and not same else 0


if __name__ == "__main__":
    sys.exit(main())
