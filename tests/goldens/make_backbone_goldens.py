#!/usr/bin/env python3
"""Make backbones.safetensors: what torchvision's ResNet-50 and Inception-v3 give at every layer.

    python tests/goldens/make_backbone_goldens.py         # torch 2.11.0, torchvision 0.26.0, numpy, safetensors
--check writes nothing and compares byte for byte with the file that is there. --report adds how far a float32 run of the
same lies from the goldens.

Modules are torchvision's own, in eval mode and float64; weights come from the hash that make_goldens.py describes, by
their state_dict names:
    convolutions   hashed_normalish, std = sqrt(2.0 / fan_in), fan_in = kernel area * channels in
    batch norms    weight: 1 + hashed_normalish(std 0.1);   bias and running_mean: hashed_normalish(std 0.1);
                   running_var: 1 + hashed_normalish(std 0.2), which is above 0.6; one f32 addition each
The input is hashed_bytes "backbones.input" [2,3,83,98] as RGB 0..255, divided by 255 and normalised by ImageNet's mean
and deviation. Inception is built with transform_input=True, as torchvision does with its pretrained weights, and so
changes that normalisation itself.
<network>.<layer>: .stats and .samples as in vgg.safetensors. <network>.grad.<layer>: the same of the gradient, with respect
to the bytes, of the mean of the squares of that layer's activations.
"""
import argparse
import hashlib
import math
import sys
from pathlib import Path

# First of all: it settles which instructions are used.
from make_goldens import F64, encode, hashed_bytes, head, named, report, summarise
from make_goldens import torchvision as normalised

import torch
import torchvision

BLOCKS = enumerate((3, 4, 6, 3), 1)
NETWORKS = {
    "resnet50": {
        "build": lambda: torchvision.models.resnet50(weights=None),
        "layers": ["relu", "maxpool"] + [f"layer{stage}.{block}" for stage, n in BLOCKS for block in range(n)],
        "gradients": ["layer2.3", "layer3.5"],
        "heads": ["conv1.weight", "bn1.running_var"],
    },
    "inception_v3": {
        "build": lambda: torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=True),
        "layers": """
            Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 maxpool1 Conv2d_3b_1x1 Conv2d_4a_3x3 maxpool2 Mixed_5b Mixed_5c
            Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e Mixed_7a Mixed_7b Mixed_7c
        """.split(),
        "gradients": ["Mixed_5d", "Mixed_6e"],
        "heads": ["Conv2d_1a_3x3.conv.weight", "Conv2d_1a_3x3.bn.weight"],
    },
}


def hashed_tensor(name, shape):
    if len(shape) == 4:
        return named(shape, name, math.sqrt(2.0 / math.prod(shape[1:])))
    if name.endswith("running_var"):
        return 1 + named(shape, name, 0.2)
    if name.endswith(".weight"):
        return 1 + named(shape, name, 0.1)
    return named(shape, name, 0.1)


def is_of_layers(name):
    return not name.startswith(("fc.", "AuxLogits.")) and not name.endswith("num_batches_tracked")


def make(dtype):
    out = {}
    raw = hashed_bytes((2, 3, 83, 98), "backbones.input")
    head(out, "backbones.input", raw)
    for name, network in NETWORKS.items():
        model = network["build"]().to(dtype).eval().requires_grad_(False)
        state = {key: hashed_tensor(key, tuple(t.shape)) for key, t in model.state_dict().items() if is_of_layers(key)}
        for key in network["heads"]:
            head(out, key, state[key])
        model.load_state_dict(state, strict=False)
        found = {}
        for layer in network["layers"]:
            keep = lambda module, inputs, output, layer=layer: found.__setitem__(layer, output)
            model.get_submodule(layer).register_forward_hook(keep)
        picture = raw.to(dtype).requires_grad_()
        model(normalised(picture))
        for layer in network["layers"]:
            summarise(out, f"{name}.{layer}", found[layer])
        for layer in network["gradients"]:
            (gradient,) = torch.autograd.grad((found[layer] ** 2).mean(), picture, retain_graph=True)
            summarise(out, f"{name}.grad.{layer}", gradient)
    about = {
        "about": "made by tests/goldens/make_backbone_goldens.py, which says how",
        "torchvision": torchvision.__version__.split("+")[0],
        "input": "hashed_bytes 'backbones.input' [2,3,83,98], RGB 0..255, /255, minus 0.485,0.456,0.406, over 0.229,0.224,0.225",
        "resnet50": "torchvision.models.resnet50, eval",
        "inception_v3": "torchvision.models.inception_v3, transform_input=True, eval",
        "weights": "convolutions hashed_normalish std sqrt(2/fan_in); norms: weight 1 + std 0.1, bias and running_mean std 0.1, running_var 1 + std 0.2",
        "grad": "of the mean of the squared activations with respect to the bytes",
        "stats": "mean, mean of absolute values, root mean square, over the whole batch",
        "samples": "flattened[k*stride], k < 64 while inside, stride = (numel/64)|1",
    }
    return out, about


def main():
    parser = argparse.ArgumentParser(description="Make backbones.safetensors (see the head of this file).")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--check", action="store_true", help="write nothing, compare with what is there")
    parser.add_argument("--report", action="store_true", help="also run in float32 and say how far that lies off")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    tensors, about = make(F64)
    encoded = encode("backbones", tensors, about)
    path = args.out / "backbones.safetensors"
    same = path.exists() and path.read_bytes() == encoded
    if args.check:
        print(f"backbones: {'same' if same else 'DIFFERENT'}")
    else:
        path.write_bytes(encoded)
        print(f"backbones: {len(tensors)} tensors, {len(encoded)} bytes, sha256 {hashlib.sha256(encoded).hexdigest()[:16]}")
    if args.report:
        report("backbones", tensors, make(torch.float32)[0])
    return 1 if args.check and not same else 0


if __name__ == "__main__":
    sys.exit(main())
