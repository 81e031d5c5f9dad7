#!/usr/bin/env python3
"""Read a log folder with TensorBoard's own reader and print what it finds as JSON:

    {"scalars": {TAG: [[STEP, VALUE], ...]}, "images": {TAG: [[STEP, WIDTH, HEIGHT], ...]}}

    python tests/tensorboard/read_log.py RUN/tensorboard            # needs the package tensorboard
"""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

log = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
log.Reload()
tags = log.Tags()
scalars = {tag: [[event.step, event.value] for event in log.Scalars(tag)] for tag in tags["scalars"]}
images = {tag: [[event.step, event.width, event.height] for event in log.Images(tag)] for tag in tags["images"]}
json.dump({"scalars": scalars, "images": images}, sys.stdout)
