#!/usr/bin/env python3
"""Make the golden files that Atelier's Rust code is compared with.

Every number comes from the plain PyTorch definitions below, calculated in float64 and stored as
float32. Nothing random is involved: inputs and weights come from an integer hash that the Rust
tests repeat bit for bit, so weights need not be stored.

To re-make (torch 2.11.0, numpy, safetensors):
    python tests/goldens/make_goldens.py --vgg19 PATH/vgg19.safetensors
--vgg19 may be left out (environment ATELIER_VGG19; without either real_vgg19.safetensors is left as
it is). --check writes nothing and compares byte for byte with the files that are there.
--report adds how far a float32 run of the same definitions lies from the goldens (for tolerances).

THE HASH (all arithmetic u64, wrapping)
    fnv1a64(name):  h = 0xcbf29ce484222325; for each byte of the UTF-8 name: h ^= byte; h *= 0x100000001b3
    splitmix64(x):  z = x + 0x9E3779B97F4A7C15
                    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
                    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
                    return z ^ (z >> 31)
    word(seed, i) = splitmix64(seed * 0x9E3779B97F4A7C15 + i)              i = 0, 1, ... in row-major order
    hashed_uniform(n, seed)[i] = (word >> 40) / 2^24                       f32 in [0, 1), exact
    hashed_normalish(shape, seed, std)[i] = (hashed_uniform - 0.5) * c     c = f32(sqrt(12.0) * std), that
                    product and std itself in f64, rounded to f32; the difference is exact in f32, the f32 product
                    rounds once. Uniform, mean 0, deviation std, in spite of the name
    hashed_bytes(shape, seed)[i] = word >> 56                              whole numbers 0..255 as f32
The seed of a tensor is fnv1a64 of its name. Weights carry their state_dict name ("features.0.weight",
"res1.in1.bias"), whatever the width or depth of the network; inputs are named below.
    VGG weights    hashed_normalish, std = sqrt(2.0 / fan_in), fan_in = 9 * channels in;   biases std = 0.05
    net conv       weight and bias: hashed_normalish, std = 1.0 / sqrt(3.0 * fan_in), fan_in = k * k * channels in
    net norm       weight: 1 + hashed_normalish(std 0.1), one f32 addition;   bias: hashed_normalish(std 0.1)
Each file holds "head.<name>", the first 16 elements of every hashed input it uses (and of some weights).

THE FILES
vgg.safetensors         VGG-19 and VGG-16 with hashed weights, input hashed_bytes "vgg.input" [2,3,35,46] as RGB 0..255.
                        Oxford preprocessing (BGR, minus 103.939, 116.779, 123.68): every ReLU. torchvision
                        preprocessing (RGB / 255, minus mean, over std), VGG-16 only: relu1_1 and relu3_3.
                        A feature map is kept as <prefix>.<layer>.stats = [mean, mean of absolute values, root mean
                        square] and .samples = flattened[k * stride], k < 64 while inside, stride = (numel / 64) | 1.
net.safetensors         The style network (pytorch/examples TransformerNet, instance norm eps 1e-5), hashed weights.
                        Width 8, inputs hashed_bytes "net.input.HxW", outputs linear y and tanh150 = tanh(y) * 150 +
                        127.5; width 32 at 40x52, linear. The picture is padded at the right and the bottom to a
                        multiple of 4 and to 12 px at least (numpy.pad "reflect": bounces as often as needed; one
                        pixel replicates), goes through the network, and is cropped back. 1x1 in closed form.
                        init.*: the bounds of nn.Conv2d's default (uniform) initialisation, 1/sqrt(fan_in), width 32.
losses.safetensors      Gram, content, style and total variation on hashed inputs, each with its gradient.
step.safetensors        A whole training objective with the gradient of every parameter of the network:
                        7.5 * content + 100 * style (five layers) + 200 * total variation, width 8, hashed VGG-19.
adam.safetensors        torch.optim.Adam over 5 hashed gradients of ordinary size, and over 5 tiny ones (near eps).
real_vgg19.safetensors  Features of a hashed picture through the real VGG-19 weights.
recipes.safetensors     The losses of the named recipes, by the formulas of the projects they are named after, and of our
                        own style unit and blend; each with its gradient in the painted picture.
"""
import argparse
import hashlib
import json
import math
import os
import sys
from pathlib import Path

# One instruction path whatever the CPU is, so that the files come out the same on other machines.
# (--report asks what a usual float32 run gives, and MKL's compatible path is not one.)
if "--report" not in sys.argv:
    os.environ.setdefault("MKL_CBWR", "COMPATIBLE")
    os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

F64 = torch.float64
MASK = (1 << 64) - 1
GOLDEN_RATIO = 0x9E3779B97F4A7C15


# ---------------------------------------------------------------- the hash

def fnv1a64(name):
    h = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def splitmix64(x):
    """x: numpy uint64 array (numpy's integer array arithmetic wraps)."""
    z = x + np.uint64(GOLDEN_RATIO)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(n, seed):
    return splitmix64(np.uint64((seed * GOLDEN_RATIO) & MASK) + np.arange(n, dtype=np.uint64))


def hashed_uniform(n, seed):
    return (words(n, seed) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def hashed_normalish(shape, seed, std):
    c = np.float32(math.sqrt(12.0) * std)
    values = (hashed_uniform(math.prod(shape), seed) - np.float32(0.5)) * c
    assert values.dtype == np.float32
    return torch.from_numpy(values).reshape(shape)


def hashed_bytes(shape, name):
    values = (words(math.prod(shape), fnv1a64(name)) >> np.uint64(56)).astype(np.float32)
    return torch.from_numpy(values).reshape(shape)


def named(shape, name, std):
    return hashed_normalish(shape, fnv1a64(name), std)


# ---------------------------------------------------------------- VGG

VGG_WIDTHS = [64, 128, 256, 512, 512]
VGG_CONVS = {"vgg16": [2, 2, 3, 3, 3], "vgg19": [2, 2, 4, 4, 4]}


def vgg_layers(arch):
    """(name of the ReLU, index of the convolution in `features`, channels in, channels out)."""
    index, channels = 0, 3
    for block, (count, width) in enumerate(zip(VGG_CONVS[arch], VGG_WIDTHS), 1):
        for k in range(1, count + 1):
            yield f"relu{block}_{k}", index, channels, width
            index, channels = index + 2, width  # convolution, ReLU
        index += 1  # pooling


def hashed_vgg(arch):
    weights = {}
    for _, i, cin, cout in vgg_layers(arch):
        weights[f"features.{i}.weight"] = named((cout, cin, 3, 3), f"features.{i}.weight", math.sqrt(2.0 / (9 * cin)))
        weights[f"features.{i}.bias"] = named((cout,), f"features.{i}.bias", 0.05)
    return weights


def vgg_features(arch, weights, x):
    """All ReLU outputs of a preprocessed batch; weights take the type of x."""
    out = {}
    block = "1"
    for name, i, _, _ in vgg_layers(arch):
        if name[4] != block:
            block = name[4]
            x = F.max_pool2d(x, 2, 2)
        x = F.relu(F.conv2d(x, weights[f"features.{i}.weight"].to(x.dtype), weights[f"features.{i}.bias"].to(x.dtype), padding=1))
        out[name] = x
    return out


def oxford(byte_rgb):
    mean_bgr = torch.tensor([103.939, 116.779, 123.68], dtype=byte_rgb.dtype).view(1, 3, 1, 1)
    return byte_rgb.flip(1) - mean_bgr


def torchvision(byte_rgb):
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=byte_rgb.dtype).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], dtype=byte_rgb.dtype).view(1, 3, 1, 1)
    return (byte_rgb / 255 - mean) / std


# ---------------------------------------------------------------- the style network

def net_shapes(width):
    """state_dict name -> shape, in the order of pytorch/examples."""
    w1, w2, w4 = width, 2 * width, 4 * width
    shapes = {}

    def conv(name, cin, cout, k):
        shapes[f"{name}.conv2d.weight"] = (cout, cin, k, k)
        shapes[f"{name}.conv2d.bias"] = (cout,)

    def norm(name, c):
        shapes[f"{name}.weight"] = (c,)
        shapes[f"{name}.bias"] = (c,)

    for k, (cin, cout, size) in enumerate([(3, w1, 9), (w1, w2, 3), (w2, w4, 3)], 1):
        conv(f"conv{k}", cin, cout, size)
        norm(f"in{k}", cout)
    for r in range(1, 6):
        for k in (1, 2):
            conv(f"res{r}.conv{k}", w4, w4, 3)
            norm(f"res{r}.in{k}", w4)
    conv("deconv1", w4, w2, 3)
    norm("in4", w2)
    conv("deconv2", w2, w1, 3)
    norm("in5", w1)
    conv("deconv3", w1, 3, 9)
    return shapes


def hashed_net(width):
    shapes = net_shapes(width)
    p = {}
    for name, shape in shapes.items():
        if ".conv2d." in name:
            fan_in = math.prod(shapes[name.replace(".bias", ".weight")][1:])
            p[name] = named(shape, name, 1.0 / math.sqrt(3.0 * fan_in))
        elif name.endswith(".weight"):
            p[name] = 1 + named(shape, name, 0.1)
        else:
            p[name] = named(shape, name, 0.1)
    return p


def net_forward(p, x, eps=1e-5):
    """byte_rgb in, the last convolution's output out. Sides must be multiples of 4."""
    def conv(name, x, stride=1):
        weight, bias = p[f"{name}.conv2d.weight"], p[f"{name}.conv2d.bias"]
        x = F.pad(x, (weight.shape[-1] // 2,) * 4, mode="reflect")
        return F.conv2d(x, weight, bias, stride=stride)

    def norm(name, x):
        return F.instance_norm(x, weight=p[f"{name}.weight"], bias=p[f"{name}.bias"], eps=eps)

    def up(x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    y = F.relu(norm("in1", conv("conv1", x)))
    y = F.relu(norm("in2", conv("conv2", y, 2)))
    y = F.relu(norm("in3", conv("conv3", y, 2)))
    for r in range(1, 6):
        z = F.relu(norm(f"res{r}.in1", conv(f"res{r}.conv1", y)))
        y = y + norm(f"res{r}.in2", conv(f"res{r}.conv2", z))
    y = F.relu(norm("in4", conv("deconv1", up(y))))
    y = F.relu(norm("in5", conv("deconv2", up(y))))
    return conv("deconv3", y)


def tanh150(y):
    return torch.tanh(y) * 150 + 127.5


def padded_side(n):
    return max(12, -(-n // 4) * 4)


def reflect_index(i, n):
    """Where position i (>= 0) of the padded axis reads from, n pixels being real."""
    if n == 1:
        return 0
    m = i % (2 * (n - 1))
    return m if m < n else 2 * (n - 1) - m


def pad_picture(x):
    h, w = x.shape[-2:]
    rows = [reflect_index(i, h) for i in range(padded_side(h))]
    cols = [reflect_index(i, w) for i in range(padded_side(w))]
    out = x[..., rows, :][..., cols]
    after = [(0, 0), (0, 0), (0, padded_side(h) - h), (0, padded_side(w) - w)]
    assert np.array_equal(out.numpy(), np.pad(x.numpy(), after, mode="reflect"))
    return out


def stylise(p, x, eps=1e-5):
    h, w = x.shape[-2:]
    return net_forward(p, pad_picture(x), eps)[..., :h, :w]


def one_colour(p):
    """What the network gives, exactly, for any picture of one colour: every norm leaves just its bias.

    It does not depend on eps. Run as it is, every norm multiplies what rounding leaves of such a picture by up to
    1/sqrt(eps) = 316. Where a kernel calculates all positions alike there is nothing to multiply; where it does
    not (MKL on few positions) even float64 ends anywhere.
    """
    y = F.relu(p["in5.bias"])
    return (p["deconv3.conv2d.weight"].sum((2, 3)) @ y + p["deconv3.conv2d.bias"]).view(1, 3, 1, 1)


# ---------------------------------------------------------------- losses

def gram(f):
    b, c, h, w = f.shape
    flat = f.reshape(b, c, h * w)
    return flat @ flat.transpose(1, 2) / (c * h * w)


def mse(a, b):
    assert a.shape == b.shape
    return ((a - b) ** 2).mean()


def style_loss(f, target):
    """target: [1, C, C], the same for every picture of the batch."""
    g = gram(f)
    return mse(g, target.expand_as(g))


def total_variation(x):
    horizontal = x[..., :, 1:] - x[..., :, :-1]
    vertical = x[..., 1:, :] - x[..., :-1, :]
    return (horizontal ** 2).mean() + (vertical ** 2).mean()


# ---------------------------------------------------------------- the goldens

def stride_of(numel):
    return (numel // 64) | 1


def summarise(out, key, t):
    flat = t.detach().reshape(-1)
    out[f"{key}.stats"] = torch.stack([flat.mean(), flat.abs().mean(), (flat ** 2).mean().sqrt()])
    out[f"{key}.samples"] = flat[:: stride_of(flat.numel())][:64]
    assert flat.abs().max() > 0 and (flat != 0).double().mean() > 0.005, f"{key} is dead"


def head(out, name, t):
    out[f"head.{name}"] = t.detach().reshape(-1)[:16]


def make_vgg(dtype):
    out = {}
    raw = hashed_bytes((2, 3, 35, 46), "vgg.input")
    head(out, "vgg.input", raw)
    for arch in ("vgg19", "vgg16"):
        weights = hashed_vgg(arch)
        if arch == "vgg19":
            for name in ("features.0.weight", "features.0.bias", "features.34.weight"):
                head(out, name, weights[name])
        for layer, f in vgg_features(arch, weights, oxford(raw.to(dtype))).items():
            summarise(out, f"{arch}.oxford.{layer}", f)
        if arch == "vgg16":
            features = vgg_features(arch, weights, torchvision(raw.to(dtype)))
            for layer in ("relu1_1", "relu3_3"):
                summarise(out, f"{arch}.torchvision.{layer}", features[layer])
    about = {
        "input": "hashed_bytes 'vgg.input' [2,3,35,46], RGB 0..255",
        "oxford": "flip to BGR, minus 103.939,116.779,123.68",
        "torchvision": "RGB/255, minus 0.485,0.456,0.406, over 0.229,0.224,0.225",
        "weights": "hashed_normalish std sqrt(2/fan_in), bias std 0.05, 3x3 zero padding 1, max pooling 2x2 stride 2, floor",
        "stats": "mean, mean of absolute values, root mean square, over the whole batch",
        "samples": "flattened[k*stride], k < 64 while inside, stride = (numel/64)|1",
    }
    return out, about


NET_SIZES = [(24, 32), (33, 31), (5, 7), (2, 3), (1, 1)]


def make_net(dtype):
    out = {}
    p = hashed_net(8)
    for name in ("conv1.conv2d.weight", "conv1.conv2d.bias", "in1.weight", "in1.bias"):
        head(out, name, p[name])
    p = {k: v.to(dtype) for k, v in p.items()}
    for h, w in NET_SIZES:
        x = hashed_bytes((1, 3, h, w), f"net.input.{h}x{w}")
        head(out, f"net.input.{h}x{w}", x)
        y = stylise(p, x.to(dtype))
        if (h, w) == (1, 1) and dtype == F64:
            y = one_colour(p)
            assert torch.allclose(y, stylise(p, x.to(dtype), eps=1e9), atol=1e-6)  # a huge eps keeps the noise down
        out[f"w8.{h}x{w}.linear"] = y
        out[f"w8.{h}x{w}.tanh150"] = tanh150(y)
    p = {k: v.to(dtype) for k, v in hashed_net(32).items()}
    assert sum(v.numel() for v in p.values()) == 1_679_235
    x = hashed_bytes((1, 3, 40, 52), "net.input.40x52")
    head(out, "net.input.40x52", x)
    out["w32.40x52.linear"] = stylise(p, x.to(dtype))

    torch.manual_seed(0)  # only to see that nn.Conv2d keeps to the bound; no value of it is stored
    for name, shape in net_shapes(32).items():
        if name.endswith("conv2d.weight"):
            bound = 1.0 / math.sqrt(math.prod(shape[1:]))
            conv = torch.nn.Conv2d(shape[1], shape[0], shape[2])
            assert 0.99 * bound < conv.weight.abs().max() <= bound * (1 + 1e-6) and conv.bias.abs().max() <= bound * (1 + 1e-6)
            out["init." + "x".join(map(str, shape)) + ".bound"] = torch.tensor([bound], dtype=F64)
    out["init.norm.weight"] = torch.ones(1)
    out["init.norm.bias"] = torch.zeros(1)
    about = {
        "inputs": "hashed_bytes 'net.input.HxW' [1,3,H,W], RGB 0..255, straight into the network",
        "weights": "conv: hashed_normalish std 1/sqrt(3 fan_in), also biases; norm weight 1 + std 0.1, norm bias std 0.1",
        "padding": "right and bottom, numpy reflect (repeated), to a multiple of 4 and at least 12; cropped back",
        "outputs": "linear: last convolution; tanh150: tanh(y)*150+127.5",
        "init": "init.<out>x<in>x<k>x<k>.bound: uniform(-bound, bound) for the weights and biases, width 32; norm weight 1, bias 0",
        "1x1": "a picture of one colour, calculated in closed form: every norm leaves its bias, so y = sum over taps of deconv3 * relu(in5.bias) + bias; independent of eps (compare with eps 1e9: at 1e-5 the network amplifies rounding here, see README)",
    }
    return out, about


def make_losses(dtype):
    out = {}
    shape = (2, 6, 7, 9)
    x = named(shape, "losses.x", 1.0)
    y = named(shape, "losses.y", 1.0)
    cotangent = named((2, 6, 6), "losses.cotangent", 1.0)
    picture = hashed_bytes((2, 3, 9, 11), "losses.picture")
    for name, t in (("losses.x", x), ("losses.y", y), ("losses.cotangent", cotangent), ("losses.picture", picture)):
        head(out, name, t)
    x, y, cotangent, picture = (t.to(dtype) for t in (x, y, cotangent, picture))

    def store(key, function, first):
        first = first.clone().requires_grad_()
        value = function(first)
        scalar = (value * cotangent).sum() if value.dim() else value
        (gradient,) = torch.autograd.grad(scalar, first)
        out[f"{key}.value"] = value if value.dim() else value.reshape(1)
        out[f"{key}.grad"] = gradient

    store("gram", gram, x)
    store("content", lambda f: mse(f, y), x)
    store("style", lambda f: style_loss(f, gram(y[:1])), x)
    store("tv", total_variation, picture)
    about = {
        "inputs": "hashed_normalish std 1: 'losses.x', 'losses.y' [2,6,7,9], 'losses.cotangent' [2,6,6]; hashed_bytes 'losses.picture' [2,3,9,11]",
        "gram": "F F^T/(C H W) of x; grad: of sum(gram * cotangent) with respect to x",
        "content": "mean((x-y)^2); grad with respect to x",
        "style": "mean((gram(x)-T)^2), T = gram(y[0:1]) [1,6,6] broadcast over the batch; grad with respect to x",
        "tv": "mean of squared horizontal differences + mean of squared vertical differences of the picture; grad with respect to it",
    }
    return out, about


STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CONTENT_LAYER = "relu4_2"


def silent_bias(name):
    """Biases that only reach instance norms, which take any constant away: their gradient is nought.

    Every convolution's but the last, and those that end a residual block (on the skip path and off it).
    """
    ends_block = name.startswith("res") and name.endswith(".in2.bias")
    return ends_block or (name.endswith("conv2d.bias") and name != "deconv3.conv2d.bias")


# 22: of 40 batches the one in which no ReLU or pooling lies so near a tie that float32 rounding decides it.
# (With an unlucky batch a float32 gradient is 1e-3 to 1e-2 off through one flip; with this one 1e-5.)
STEP_BATCH = "step.batch.22"


def make_step(dtype):
    out = {}
    batch = hashed_bytes((2, 3, 32, 32), STEP_BATCH)
    painting = hashed_bytes((1, 3, 40, 36), "step.style")
    head(out, STEP_BATCH, batch)
    head(out, "step.style", painting)
    p = {k: v.to(dtype).requires_grad_() for k, v in hashed_net(8).items()}
    vgg = hashed_vgg("vgg19")

    def features(byte_rgb):
        return vgg_features("vgg19", vgg, oxford(byte_rgb))

    with torch.no_grad():
        style = features(painting.to(dtype))
        targets = {layer: gram(style[layer]) for layer in STYLE_LAYERS}
        content_target = features(batch.to(dtype))[CONTENT_LAYER]
    y = tanh150(net_forward(p, batch.to(dtype)))
    f = features(y)
    content = mse(f[CONTENT_LAYER], content_target)
    styles = {layer: style_loss(f[layer], targets[layer]) for layer in STYLE_LAYERS}
    tv = total_variation(y)
    total = 7.5 * content + 100.0 * sum(styles.values()) + 200.0 * tv
    gradients = dict(zip(p, torch.autograd.grad(total, list(p.values()))))

    out["output"] = y.detach()
    summarise(out, f"content_target.{CONTENT_LAYER}", content_target)
    summarise(out, f"features.{CONTENT_LAYER}", f[CONTENT_LAYER])
    for layer in STYLE_LAYERS:
        summarise(out, f"style_target.{layer}", targets[layer])
        out[f"term.style.{layer}"] = styles[layer].reshape(1)
    out["term.content"] = content.reshape(1)
    out["term.tv"] = tv.reshape(1)
    out["term.total"] = total.reshape(1)
    norm = torch.cat([g.reshape(-1) for g in gradients.values()]).norm()
    for name, g in gradients.items():
        if silent_bias(name) and dtype == F64:
            assert g.abs().max() < 1e-10 * norm
            g = torch.zeros_like(g)  # what is left is rounding, different on every machine
        out[f"grad.{name}"] = g
    assert sum(g.numel() for g in gradients.values()) == 108_771
    about = {
        "inputs": "hashed_bytes 'step.batch.22' [2,3,32,32] and 'step.style' [1,3,40,36], RGB 0..255",
        "net": "width 8, hashed as in net.safetensors, output tanh150, no padding needed, not clamped or rounded",
        "loss_net": "VGG-19 hashed as in vgg.safetensors, Oxford preprocessing of the byte_rgb output",
        "terms": "unweighted; content mean squared difference at relu4_2 to the input batch; style per layer as in losses.safetensors; tv on the output",
        "total": "7.5*content + 100*(sum of the five style terms) + 200*tv",
        "zero_grads": "gradients of the biases before an instance norm are mathematically 0 and stored as 0; compare them against the norm of the whole gradient",
        "grad_norm": repr(float(np.float32(norm.item()))),
    }
    return out, about


def make_adam(dtype):
    out = {}
    start = named((257,), "adam.param", 0.1)
    head(out, "adam.param", start)
    for case, std in (("plain", 0.5), ("tiny", 1e-7)):
        p = start.to(dtype).clone().requires_grad_()
        adam = torch.optim.Adam([p], lr=1e-2, betas=(0.9, 0.999), eps=1e-8)
        for step in range(1, 6):
            gradient = named((257,), f"adam.{case}.grad.{step}", std)
            head(out, f"adam.{case}.grad.{step}", gradient)
            p.grad = gradient.to(dtype)
            adam.step()
            if step in (1, 5):
                out[f"{case}.step{step}.param"] = p.detach().clone()
                out[f"{case}.step{step}.exp_avg"] = adam.state[p]["exp_avg"].clone()
                out[f"{case}.step{step}.exp_avg_sq"] = adam.state[p]["exp_avg_sq"].clone()
    about = {
        "inputs": "hashed_normalish [257]: 'adam.param' std 0.1; 'adam.plain.grad.1'..'5' std 0.5; 'adam.tiny.grad.1'..'5' std 1e-7",
        "adam": "torch.optim.Adam lr 1e-2, betas 0.9, 0.999, eps 1e-8 (added after the square root), no weight decay; both cases start from adam.param",
        "steps": "state after step 1 and step 5",
    }
    return out, about


# ---------------------------------------------------------------- recipes

# Each of the projects' losses as that project puts it, on its own layout and with its own weights. All return
# (content, {layer: style}, total variation), every term as it stands in the project's total.

def pytorch_examples_terms(painted, photo, painting):
    """VGG-16 of torchvision; the painting is repeated to a batch, its Gram matrices are cut to the batch's length."""
    vgg = hashed_vgg("vgg16")
    batch = len(painted)
    f, target, style = (
        vgg_features("vgg16", vgg, torchvision(x)) for x in (painted, photo, painting.repeat(batch, 1, 1, 1))
    )
    content = 1e5 * F.mse_loss(f["relu2_2"], target["relu2_2"])
    styles = {
        layer: 1e10 * F.mse_loss(gram(f[layer]), gram(style[layer])[:batch])
        for layer in ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    }
    return content, styles, painted.new_zeros(())


def lengstrom_terms(painted, photo, painting):
    """VGG-19 for RGB minus the mean pixel, channels last, tf.nn.l2_loss = half the sum of squares."""
    vgg = hashed_vgg("vgg19")
    vgg["features.0.weight"] = vgg["features.0.weight"].flip(1)  # ours take BGR

    def net(rgb):
        mean_pixel = torch.tensor([123.68, 116.779, 103.939], dtype=rgb.dtype)
        features = vgg_features("vgg19", vgg, (rgb.permute(0, 2, 3, 1) - mean_pixel).permute(0, 3, 1, 2))
        return {layer: f.permute(0, 2, 3, 1) for layer, f in features.items()}

    def l2_loss(t):
        return (t ** 2).sum() / 2

    def size_of_one(t):
        return math.prod(t.shape[1:])

    batch = len(painted)
    f, target, style = net(painted), net(photo), net(painting)
    content_size = size_of_one(target["relu4_2"]) * batch
    content = 7.5 * (2 * l2_loss(f["relu4_2"] - target["relu4_2"]) / content_size)

    styles = {}
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"):
        flat = style[layer].reshape(-1, style[layer].shape[3])
        style_gram = flat.T @ flat / flat.numel()
        bs, height, width, filters = f[layer].shape
        flat = f[layer].reshape(bs, height * width, filters)
        grams = flat.transpose(1, 2) @ flat / (height * width * filters)
        styles[layer] = 1e2 * (2 * l2_loss(grams - style_gram) / style_gram.numel()) / batch

    preds = painted.permute(0, 2, 3, 1)
    y_tv = l2_loss(preds[:, 1:] - preds[:, :-1]) / size_of_one(preds[:, 1:])
    x_tv = l2_loss(preds[:, :, 1:] - preds[:, :, :-1]) / size_of_one(preds[:, :, 1:])
    return content, styles, 2e2 * 2 * (x_tv + y_tv) / batch


JCJOHNSON_TV_STRENGTH = 1e-6


def jcjohnson_terms(painted, photo, painting):
    """VGG-16 of the Oxford group. The total variation is not the project's but our mean form of it, weighted so that
    it has the same gradient on the batch that jcjohnson_tv_gradient is asked for."""
    vgg = hashed_vgg("vgg16")
    f, target, style = (vgg_features("vgg16", vgg, oxford(x)) for x in (painted, photo, painting))

    def mse_criterion(a, b):
        return ((a - b) ** 2).sum() / a.numel()

    def gram_matrix(x):
        n, c, h, w = x.shape
        flat = x.reshape(n, c, h * w)
        return torch.bmm(flat, flat.transpose(1, 2)) / (c * h * w)

    content = 1.0 * mse_criterion(f["relu3_3"], target["relu3_3"])
    styles = {}
    for layer in ("relu1_2", "relu2_2", "relu3_3", "relu4_3"):
        grams = gram_matrix(f[layer])
        styles[layer] = 5.0 * mse_criterion(grams, gram_matrix(style[layer]).expand_as(grams))
    return content, styles, JCJOHNSON_TV_STRENGTH * (4 * 3 * 256 * 255) / 2 * total_variation(painted)


def jcjohnson_tv_gradient(x):
    """The project gives no value of its total variation, only this gradient."""
    inside = x[..., :-1, :-1]
    x_diff, y_diff = inside - x[..., :-1, 1:], inside - x[..., 1:, :-1]
    gradient = torch.zeros_like(x)
    gradient[..., :-1, :-1] += x_diff + y_diff
    gradient[..., :-1, 1:] -= x_diff
    gradient[..., 1:, :-1] -= y_diff
    return JCJOHNSON_TV_STRENGTH * gradient


def own_terms(painted, photo, paintings, weights, content_layers, style_layers, unit, constant=False):
    """Ours. paintings: [(picture, weight)]; weights: (content, style, total variation); layers: {name: weight};
    unit: "raw" or "painting".

    The style loss of several paintings is the weighted mean of their losses without what does not depend on the
    painted picture: with factor_i = weight_i / sum of weights / unit_i,
    sum factor_i mse(G, G_i) = (sum factor_i) mse(G, mean of G_i by factor) + a constant. With `constant` it is the
    left side.
    """
    vgg = hashed_vgg("vgg19")
    f, target, *styles = (
        vgg_features("vgg19", vgg, oxford(x)) for x in (painted, photo, *(picture for picture, _ in paintings))
    )
    content = weights[0] * sum(weight * mse(f[layer], target[layer]) for layer, weight in content_layers.items())
    style = {}
    for layer, layer_weight in style_layers.items():
        grams = [gram(s[layer]) for s in styles]
        units = [(g ** 2).mean() if unit == "painting" else 1.0 for g in grams]
        factors = [weight / sum(w for _, w in paintings) / u for (_, weight), u in zip(paintings, units)]
        if constant:
            loss = sum(factor * style_loss(f[layer], g) for factor, g in zip(factors, grams))
        else:
            blend = sum(factor * g for factor, g in zip(factors, grams)) / sum(factors)
            loss = sum(factors) * style_loss(f[layer], blend)
        style[layer] = weights[1] * layer_weight * loss
    return content, style, weights[2] * total_variation(painted)


EQUAL_STYLE_LAYERS = {layer: 1.0 for layer in STYLE_LAYERS}
OWN_WEIGHTS = (1.0, 5e5, 7.0)
UNEQUAL = {
    "weights": (2.0, 3e4, 10.0),
    "content_layers": {"relu3_2": 0.5, "relu4_2": 2.0},
    "style_layers": {"relu1_1": 0.25, "relu2_1": 2.0, "relu3_1": 1.0, "relu4_1": 3.0, "relu5_1": 0.5},
}

# Sides are multiples of 16: lengstrom's pooling keeps an odd last row or column, ours and torchvision's drop it.
# Every grain has units near a tie: see README.
RECIPES_GRAIN = "recipes.grain.0"


def make_recipes(dtype):
    out = {}

    def picture(name, shape):
        raw = hashed_bytes(shape, name)
        head(out, name, raw)
        return raw.to(dtype)

    photo = picture("recipes.photo", (2, 3, 48, 32))
    # Of low contrast, or its total variation would drown the other terms; exact in float32.
    blocks = picture("recipes.blocks", (2, 3, 6, 4)).repeat_interleave(8, 2).repeat_interleave(8, 3)
    painted = (96 + blocks / 4 + picture(RECIPES_GRAIN, (2, 3, 48, 32)) / 16).requires_grad_()
    painting = picture("recipes.painting", (1, 3, 64, 48))
    second = picture("recipes.painting.second", (1, 3, 48, 80))

    def store(case, terms, gradient_of=None):
        content, styles, tv = terms
        total = content + sum(styles.values()) + tv
        out[f"{case}.total"] = total.reshape(1)
        out[f"{case}.content"] = content.reshape(1)
        out[f"{case}.style"] = sum(styles.values()).reshape(1)
        out[f"{case}.tv"] = tv.reshape(1)
        for layer, loss in styles.items():
            out[f"{case}.style.{layer}"] = loss.reshape(1)
        (gradient,) = torch.autograd.grad(total, painted)
        if gradient_of is not None:
            content, styles, tv = gradient_of
            (other,) = torch.autograd.grad(content + sum(styles.values()) + tv, painted)
            assert dtype != F64 or (other - gradient).norm() < 1e-12 * gradient.norm()
            gradient = other
        summarise(out, f"{case}.grad", gradient)
        out[f"{case}.grad.norm"] = gradient.norm().reshape(1)

    store("pytorch-examples", pytorch_examples_terms(painted, photo, painting))
    store("lengstrom", lengstrom_terms(painted, photo, painting))
    store("jcjohnson", jcjohnson_terms(painted, photo, painting))
    one = [(painting, 1.0)]
    store("atelier", own_terms(painted, photo, one, OWN_WEIGHTS, {CONTENT_LAYER: 1.0}, EQUAL_STYLE_LAYERS, "painting"))
    store("painting", own_terms(painted, photo, one, **UNEQUAL, unit="painting"))
    two = [(painting, 1.0), (second, 3.0)]
    for unit in ("raw", "painting"):
        blend = own_terms(painted, photo, two, **UNEQUAL, unit=unit)
        sum_of_losses = own_terms(painted, photo, two, **UNEQUAL, unit=unit, constant=True)
        store(f"blend.{unit}", blend, gradient_of=sum_of_losses)

    batch = picture("recipes.batch", (4, 3, 256, 256))
    summarise(out, "jcjohnson.tv.grad", jcjohnson_tv_gradient(batch)[..., :-1, :-1])
    about = {
        "inputs": f"hashed_bytes 'recipes.photo', '{RECIPES_GRAIN}' [2,3,48,32], 'recipes.blocks' [2,3,6,4], 'recipes.painting' [1,3,64,48], 'recipes.painting.second' [1,3,48,80], 'recipes.batch' [4,3,256,256], RGB 0..255",
        "painted": "96 + each of the blocks as 8x8 pixels / 4 + grain / 16",
        "loss_nets": "hashed as in vgg.safetensors: pytorch-examples VGG-16 torchvision preprocessing; jcjohnson VGG-16 Oxford; all others VGG-19 Oxford",
        "terms": "<case>.content, .style, .style.<layer>, .tv: each as it stands in .total, weights and all",
        "grad": "of .total with respect to the painted picture: .norm, .stats and .samples as in vgg.safetensors",
        "blend": "paintings with weights 1 and 3; terms: distance to the blended Gram matrices; grad: of the weighted sum of both paintings' losses",
        "unequal": json.dumps(UNEQUAL) + " for painting, blend.raw and blend.painting, in that order content, style, total variation",
        "jcjohnson.tv.grad": "of the project's own total variation at 'recipes.batch', without the last row and column",
    }
    return out, about


def make_real_vgg19(dtype, path):
    out = {}
    weights = {k: v.float() for k, v in load_file(path).items()}
    raw = hashed_bytes((1, 3, 64, 80), "real_vgg19.input")
    head(out, "real_vgg19.input", raw)
    with torch.no_grad():
        features = vgg_features("vgg19", weights, oxford(raw.to(dtype)))
    for layer, f in features.items():
        if layer <= "relu5_1":
            summarise(out, f"vgg19.oxford.{layer}", f)
    about = {
        "input": "hashed_bytes 'real_vgg19.input' [1,3,64,80], RGB 0..255, Oxford preprocessing",
        "weights_sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "weights": "float16 tensors widened to float32",
        "stats": "mean, mean of absolute values, root mean square",
        "samples": "flattened[k*stride], k < 64 while inside, stride = (numel/64)|1",
    }
    return out, about


# ---------------------------------------------------------------- files

def encode(name, tensors, about):
    """safetensors with sorted keys: the library's own writer does not keep the order of the metadata."""
    metadata = {
        "about": "made by tests/goldens/make_goldens.py, which says how",
        "golden": name,
        "hash": "fnv1a64(name) -> splitmix64(seed*0x9E3779B97F4A7C15 + i)",
        "precision": "calculated in float64 from float32 inputs and weights, stored as float32",
        "torch": torch.__version__.split("+")[0],
        **about,
    }
    header, data = {"__metadata__": dict(sorted(metadata.items()))}, b""
    for key in sorted(tensors):
        array = np.ascontiguousarray(tensors[key].detach().to(torch.float32).numpy()).astype("<f4")
        assert np.isfinite(array).all() and array.size, key
        header[key] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def report(name, tensors, again):
    """How far the same definitions in float32 lie from the float64 ones: max |difference| / max |golden|."""
    worst = {}
    for key, golden in tensors.items():
        golden, other = golden.double(), again[key].double()
        scale = golden.abs().max().clamp(min=1e-300)
        worst[key] = ((other - golden).abs().max() / scale).item() if golden.abs().max() > 0 else 0.0
    for key, error in sorted(worst.items(), key=lambda kv: -kv[1])[:6]:
        print(f"    float32 differs by {error:.1e} of the largest element: {name} {key}")


def main():
    parser = argparse.ArgumentParser(description="Make the golden files (see the head of this file).")
    parser.add_argument("--vgg19", default=os.environ.get("ATELIER_VGG19"), help="the real VGG-19 weights (safetensors)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--check", action="store_true", help="write nothing, compare with what is there")
    parser.add_argument("--report", action="store_true", help="also run in float32 and say how far that lies off")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    makers = {"vgg": make_vgg, "net": make_net, "losses": make_losses, "step": make_step, "adam": make_adam}
    makers["recipes"] = make_recipes
    if args.vgg19:
        makers["real_vgg19"] = lambda dtype: make_real_vgg19(dtype, args.vgg19)
    else:
        print("real_vgg19: left as it is (no --vgg19, no ATELIER_VGG19)", file=sys.stderr)
    different = 0
    for name, make in makers.items():
        tensors, about = make(F64)
        encoded = encode(name, tensors, about)
        path = args.out / f"{name}.safetensors"
        if args.check:
            same = path.exists() and path.read_bytes() == encoded
            different += not same
            print(f"{name}: {'same' if same else 'DIFFERENT'}")
        else:
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(encoded)
            temporary.replace(path)
            print(f"{name}: {len(tensors)} tensors, {len(encoded)} bytes, sha256 {hashlib.sha256(encoded).hexdigest()[:16]}")
        if args.report:
            report(name, tensors, make(torch.float32)[0])
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
