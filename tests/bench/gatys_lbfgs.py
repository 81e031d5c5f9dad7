#!/usr/bin/env python3
"""The same optimisation by PyTorch and by `trainer gatys`, one after the other, in one run.

    python tests/bench/gatys_lbfgs.py --trainer target/release/trainer --vgg19 vgg19.safetensors \
        --content photo.jpg --style painting.jpg [--size 256] [--evaluations 100] [--threads 2] [--repeats 2]

Same loss (content at relu4_2, Gram matrices over CHW at relu1_1 to relu5_1, squared total variation, all means), same
start (the photo), same L-BFGS (100 steps of history, strong Wolfe), same number of evaluations. PyTorch runs the usual
way: torch.optim.LBFGS with a closure, autograd, f32. Both pictures are judged by PyTorch's loss in the end. Prints one
JSON object: for each the final loss and seconds an evaluation (the median of the differences between evaluations), and
the two ratios. Needs torch, torchvision's transforms not; Pillow, numpy, safetensors.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

BLOCKS = (2, 2, 4, 4, 4)
STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"
WEIGHTS = {"content": 5.0, "style": 100.0, "tv": 10.0}


def read(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())


class Vgg:
    """Oxford's VGG-19 up to relu5_1, on R, G, B in 0..255."""

    def __init__(self, weights):
        tensors = {name: tensor.float() for name, tensor in load_file(weights).items()}
        self.layers, place = [], 0
        for block, count in enumerate(BLOCKS, 1):
            for index in range(1, count + 1):
                pair = (tensors[f"features.{place}.weight"], tensors[f"features.{place}.bias"])
                self.layers.append((f"relu{block}_{index}", block > 1 and index == 1, pair))
                place += 2
                if (block, index) == (5, 1):
                    return
            place += 1

    def __call__(self, rgb):
        mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
        x, features = rgb.flip(1) - mean, {}
        for name, pools, (weight, bias) in self.layers:
            if pools:
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if name in STYLE or name == CONTENT:
                features[name] = x
        return features


def gram(x):
    _, c, h, w = x.shape
    f = x.reshape(c, h * w)
    return f @ f.T / (c * h * w)


def objective(vgg, content, style):
    with torch.no_grad():
        target = vgg(content)[CONTENT]
        grams = {layer: gram(features) for layer, features in vgg(style).items() if layer in STYLE}

    def loss(x):
        features = vgg(x)
        total = WEIGHTS["content"] * F.mse_loss(features[CONTENT], target)
        total = total + WEIGHTS["style"] * sum(F.mse_loss(gram(features[layer]), grams[layer]) for layer in STYLE)
        differences = ((x[:, :, 1:] - x[:, :, :-1]), (x[:, :, :, 1:] - x[:, :, :, :-1]))
        return total + WEIGHTS["tv"] * sum(difference.square().mean() for difference in differences)

    return loss


def by_pytorch(loss, start, evaluations):
    x = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=evaluations, max_eval=evaluations, history_size=100,
                                  tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")
    times, lowest = [], [float("inf"), None]

    def closure():
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        times.append(time.perf_counter())
        if value.item() < lowest[0] and len(times) <= evaluations:
            lowest[0] = value.item()
        return value

    optimiser.step(closure)
    return lowest[0], times[:evaluations]


def by_trainer(args, content, style, folder):
    output = folder / "out.png"
    command = [args.trainer, "gatys", "--content", content, "--style", style, "-o", output, "--overwrite", "--json",
               "--loss-net", args.vgg19, "--device", "cpu", "--threads", str(args.threads), "--scales", "none",
               "--size", "0", "--style-scale", "1000", "--style-unit", "raw", "--iterations", str(args.evaluations),
               "--tolerance", "0", "--content-weight", str(WEIGHTS["content"]),
               "--style-weight", str(WEIGHTS["style"]), "--tv-weight", str(WEIGHTS["tv"])]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    times, losses = [], []
    for line in process.stdout:
        times.append(time.perf_counter())
        losses.append(json.loads(line)["losses"]["total"])
    if process.wait() != 0 or len(losses) != args.evaluations:
        sys.exit(f"trainer ended with {process.returncode} after {len(losses)} evaluations")
    return min(losses), losses[0], times


def per_evaluation(times):
    return statistics.median(b - a for a, b in zip(times, times[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("trainer", "vgg19", "content", "style"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--evaluations", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    vgg = Vgg(args.vgg19)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in ("content", "style"):
            picture = Image.open(getattr(args, name)).convert("RGB")
            picture.thumbnail((args.size, args.size), Image.Resampling.LANCZOS)
            picture.save(folder / f"{name}.png")
        content, style = (folder / "content.png", folder / "style.png")
        loss = objective(vgg, read(content), read(style))
        report = {"size": args.size, "evaluations": args.evaluations, "threads": args.threads, "runs": []}
        for _ in range(args.repeats):
            theirs, their_times = by_pytorch(loss, read(content), args.evaluations)
            ours, first, our_times = by_trainer(args, content, style, folder)
            with torch.no_grad():
                start = loss(read(content)).item()
            run = {
                "start": {"pytorch": start, "ours": first},
                "loss": {"pytorch": theirs, "ours": ours, "ratio": ours / theirs},
                "seconds": {"pytorch": per_evaluation(their_times), "ours": per_evaluation(our_times)},
            }
            run["seconds"]["ratio"] = run["seconds"]["ours"] / run["seconds"]["pytorch"]
            report["runs"].append(run)
        print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
