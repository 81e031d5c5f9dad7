#!/usr/bin/env python3
"""Make lbfgs.safetensors: how far torch.optim.LBFGS with its strong Wolfe search gets by each evaluation.

    python tests/goldens/make_lbfgs_golden.py             # some minutes; --check: byte for byte, writes nothing

torch.optim.LBFGS(lr=1, history_size=100, line_search_fn="strong_wolfe"), tolerances 0, on float32 parameters as ours has
them, with the hash, the loss networks and the losses of make_goldens.py, which lies beside this file. Each case is
the loss of every evaluation in its order, [evaluations].
    rosenbrock   sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 over 10 dimensions from -1.2, 1, -1.2, 1, ...; float64 from
                 float32 parameters
    gatys        a picture [1, 3, 40, 48] as byte_rgb, from hashed_bytes "lbfgs.start": CONTENT * content at relu4_2 to
                 "lbfgs.content" + STYLE * style at relu1_1 to relu4_1 to "lbfgs.style" [1, 3, 44, 52] + TV * total
                 variation, through VGG-19 with hashed weights and Oxford preprocessing
    gatys.wide   another start and balance of weights, and another size: see CASES
    *.fixed      the same without a line search

The paths depend on the last bit: those of other processors part from these after some tens of evaluations, so that --check
may find another file there.
"""
import sys
from pathlib import Path

# First: it sets the kernels that torch takes, which torch reads once.
from make_goldens import encode, gram, hashed_bytes, hashed_vgg, head, mse, oxford, style_loss, total_variation, vgg_features

import torch

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
EVALUATIONS = 120
# name: (tag of the inputs, height, width, content, style, total variation)
CASES = {
    "gatys": ("lbfgs", 40, 48, 1.0, 1e2, 1e-2),
    "gatys.wide": ("lbfgs.wide", 32, 64, 1e-1, 1e3, 1e-1),
}


class Enough(Exception):
    pass


def losses_of(parameters, objective, evaluations, line_search):
    """The loss of each evaluation of a run."""
    losses = []

    def closure():
        if len(losses) == evaluations:
            raise Enough
        loss = objective(parameters)
        (parameters.grad,) = (g.to(parameters.dtype) for g in torch.autograd.grad(loss, [parameters]))
        losses.append(loss.item())
        return loss

    lbfgs = torch.optim.LBFGS(
        [parameters], lr=1, max_iter=10 * evaluations, max_eval=10 * evaluations, tolerance_grad=0, tolerance_change=0,
        history_size=100, line_search_fn=line_search,
    )
    try:
        lbfgs.step(closure)
    except Enough:
        pass
    return losses


def rosenbrock(x):
    x = x.double()
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def gatys(tag, height, width, content_weight, style_weight, tv_weight):
    """The start and the objective."""
    vgg = hashed_vgg("vgg19")
    style_features = vgg_features("vgg19", vgg, oxford(hashed_bytes((1, 3, height + 4, width + 4), f"{tag}.style")))
    targets = {layer: gram(style_features[layer]) for layer in STYLE_LAYERS}
    photo = hashed_bytes((1, 3, height, width), f"{tag}.content")
    content = vgg_features("vgg19", vgg, oxford(photo))[CONTENT_LAYER]

    def objective(picture):
        f = vgg_features("vgg19", vgg, oxford(picture))
        styles = sum(style_loss(f[layer], targets[layer]) for layer in STYLE_LAYERS)
        tv = total_variation(picture)
        return content_weight * mse(f[CONTENT_LAYER], content) + style_weight * styles + tv_weight * tv

    return hashed_bytes((1, 3, height, width), f"{tag}.start"), objective


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    out = {}

    def store(name, losses):
        out[name] = torch.tensor(losses, dtype=torch.float64)
        print(f"{name}: {losses[0]:.6g} to {min(losses):.6g} in {len(losses)} evaluations")

    for line_search, suffix in (("strong_wolfe", ""), (None, ".fixed")):
        if line_search:
            start = torch.tensor([-1.2, 1.0] * 5, dtype=torch.float32, requires_grad=True)
            store("rosenbrock", losses_of(start, rosenbrock, 100, line_search))
        for name, case in CASES.items():
            start, objective = gatys(*case)
            head(out, f"{case[0]}.start", start.clone())  # the run moves it
            store(name + suffix, losses_of(start.requires_grad_(), objective, EVALUATIONS, line_search))
    about = {
        "precision": "calculated in float32, rosenbrock's loss in float64; stored as float32",
        "about": "made by tests/goldens/make_lbfgs_golden.py, which says how",
        "cases": repr(CASES),
    }
    encoded = encode("lbfgs", out, about)
    path = Path(__file__).resolve().with_name("lbfgs.safetensors")
    if "--check" in sys.argv[1:]:
        return 0 if path.read_bytes() == encoded else f"{path.name} differs"
    path.write_bytes(encoded)
    return 0


if __name__ == "__main__":
    sys.exit(main())
