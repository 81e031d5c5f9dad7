"""Photos a second: ours against PIL with torchvision's transforms, on COCO-size JPEGs.

Makes a set of 640x480 JPEGs (quality 90, 4:2:0) from a folder of photos, then times both in turns, so that
whatever else the machine does hits them alike; on a busy machine look at the processor time. Theirs is what pytorch/examples does for fast neural style:
Image.open, Resize, CenterCrop, ToTensor; once in the training process itself, as it does by default, and once
in a DataLoader with two workers.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch.utils.data import ConcatDataset, DataLoader, Dataset
from torchvision import transforms

WIDTH, HEIGHT = 640, 480
CROP = 256
BATCH = 4


def make_set(source: Path, target: Path, count: int) -> None:
    photos = sorted(p for p in source.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not photos:
        sys.exit(f"no photos found: {source}")
    for number in range(count):
        with Image.open(photos[number * len(photos) // count % len(photos)]) as photo:
            photo = ImageOps.fit(photo.convert("RGB"), (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        photo.save(target / f"{number:04}.jpg", quality=90, subsampling="4:2:0")


class Photos(Dataset):
    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.glob("*.jpg"))
        self.transform = transforms.Compose(
            [transforms.Resize(CROP), transforms.CenterCrop(CROP), transforms.ToTensor()]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


def pil_rate(folder: Path, workers: int) -> float:
    # Two passes in one where workers read ahead, so that what they did before the clock starts matters little.
    photos = ConcatDataset([Photos(folder)] * (2 if workers else 1))
    batches = iter(DataLoader(photos, BATCH, shuffle=True, num_workers=workers))
    next(batches)
    start = time.perf_counter()
    done = sum(len(batch) for batch in batches)
    return done / (time.perf_counter() - start)


def our_rate(program: str, folder: Path, threads: int, batches: int) -> float:
    text = subprocess.run(
        [program, str(folder), str(threads), str(batches)], check=True, capture_output=True, text=True
    ).stdout
    found = re.match(r"(\d+) photos/s .* 0 skipped", text)
    if not found:
        sys.exit(f"not understood: {text}")
    return float(found.group(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder of photos to make the set from")
    parser.add_argument("--program", required=True, help="the built example decode_speed")
    parser.add_argument("--count", type=int, default=300, help="photos in the set")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    # Threads of torch's own are of no use to pictures this small, and on a busy machine it waits for them.
    torch.set_num_threads(1)

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_set(arguments.photos, folder, arguments.count)
        size = sum(path.stat().st_size for path in folder.iterdir()) / arguments.count
        print(f"{arguments.count} JPEGs of {WIDTH}x{HEIGHT}, {size / 1024:.0f} KiB each, to crops of {CROP}")
        contestants = {
            # Each with the number of photos that it decodes.
            "ours, 2 threads": (lambda: our_rate(arguments.program, folder, 2, 250), 250 * BATCH),
            "ours, 1 thread": (lambda: our_rate(arguments.program, folder, 1, 125), 125 * BATCH),
            "PIL, in the process": (lambda: pil_rate(folder, 0), arguments.count),
            "PIL, DataLoader of 2": (lambda: pil_rate(folder, 2), arguments.count * 2),
        }
        rates = {name: [] for name in contestants}
        cpu_ms = {name: [] for name in contestants}
        for number in range(arguments.rounds):
            for name, (rate, photos) in contestants.items():
                before = sum(os.times()[:4])  # ours and the children's, user's and system's
                rates[name].append(rate())
                cpu_ms[name].append((sum(os.times()[:4]) - before) / photos * 1000)
            print(f"round {number + 1}: " + "  ".join(f"{name}: {rates[name][-1]:.0f}/s" for name in contestants))

        ours = rates["ours, 2 threads"]
        for name, found in rates.items():
            ratio = statistics.median(a / b for a, b in zip(ours, found))
            print(
                f"{name:22} median {statistics.median(found):5.0f} photos/s, {statistics.median(cpu_ms[name]):.2f} ms of"
                f" processor each; ours, 2 threads, is {ratio:.2f} times as fast"
            )


main()
