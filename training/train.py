"""Trains MMN on synthesised motion. The loop, its recipe and its run folder; knows nothing of how motion is made.

A run folder holds ``config.json``, ``metrics.jsonl`` (one line a validation), ``state.pt`` (all that a resume needs,
replaced whole) and ``best.pt`` (the checkpoint with the best validation F1).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

import edge
from edge.checkpoint import CheckpointInfo, save_checkpoint
from edge.errors import MarEdgeError
from edge.labels import BACKGROUND_NAME
from edge.layout import load_layout
from edge.mmn import MMN, MMNConfig
from edge.model_file import Stream
from edge.preprocess import WINDOW_FRAMES, normalise
from edge.streams import stream_input
from training.augment import augment
from training.metrics import Scores, score
from training.synth.generator import CLASSES, synthesise

_LAYOUT = "ma52"
_CHUNK = 256
# Validation clips come from a seed no training run is given.
_VALIDATION_SEED_OFFSET = 1_000_003
_WINDOW_S = 2.0


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A run, whole: the same config gives the same checkpoint on the same machine.

    steps: optimiser steps of ``batch`` fresh clips each. ema: decay of the averaged weights that are validated and
    kept. The learning rate rises to ``peak_lr`` over the first ``warm_up`` of the steps and falls to 0 as a cosine.
    """

    stream: Stream = "joint"
    width: int = 32
    depths: tuple[int, int, int, int] = (1, 1, 1, 1)
    seed: int = 1
    steps: int = 7000
    batch: int = 32
    peak_lr: float = 2e-3
    warm_up: float = 0.1
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    clip_norm: float = 2.0
    drop_path: float = 0.05
    ema: float = 0.998
    validate_every: int = 500
    validation_clips: int = 2048
    device: str = "cpu"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a validation found; a line of ``metrics.jsonl``."""

    step: int
    loss: float
    top1: float
    f1_macro: float
    elapsed_s: float


def train(config: TrainConfig, run: Path, report: Callable[[Progress], None]) -> Path:
    """Train, or go on with the run in that folder, and return the path of the best checkpoint.

    Raises:
        MarEdgeError: the folder holds a run with another config, or the device is not there.
    """
    device = _device(config.device)
    _claim(run, config)
    torch.manual_seed(config.seed)
    layout = load_layout(_LAYOUT)
    network = MMN(
        MMNConfig(layout.num_joints, len(CLASSES), "motion", config.width, config.depths), drop_path=config.drop_path
    ).to(device)
    # Channels last in memory: the batches come so, and a step takes a third less time on a CPU.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs do not know it
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.ema), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.peak_lr, weight_decay=config.weight_decay)
    # OneCycleLR divides by the steps of its warm-up less one.
    warm_up = config.warm_up if config.warm_up * config.steps != 1 else 1.1 * config.warm_up
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.peak_lr, total_steps=config.steps, pct_start=warm_up
    )
    parts: dict[str, Any] = {
        "network": network,
        "average": average,
        "optimizer": optimizer,
        "schedule": schedule,
    }
    step, best = _resume(run, parts, device)
    averaged = cast(MMN, average.module)
    validation = _validation_set(config)
    index_t = _index_t().to(device)
    losses: list[float] = []
    started = time.monotonic()
    for skeleton, labels in _training_batches(config, step):
        network.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            x = stream_input(skeleton.to(device), layout, config.stream)
            logits = network(x, index_t.expand(len(x), -1))
        loss = F.cross_entropy(logits.float(), labels.to(device), label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        losses.append(loss.item())
        step += 1
        if step % config.validate_every == 0 or step == config.steps:
            scores = evaluate(averaged, validation, config.stream)
            progress = Progress(
                step=step,
                loss=float(np.mean(losses)),
                top1=scores.top1,
                f1_macro=scores.f1_macro,
                elapsed_s=time.monotonic() - started,
            )
            losses.clear()
            if scores.f1_macro > best:
                best = scores.f1_macro
                save_checkpoint(run / "best.pt", averaged, _describe(config, step, scores))
            _append(run / "metrics.jsonl", progress)
            _save_state(run, parts, step, best)
            report(progress)
    return run / "best.pt"


@torch.no_grad()
def evaluate(network: MMN, clips: tuple[Tensor, NDArray[np.int64]], stream: Stream) -> Scores:
    """Scores of a network on normalised clips (N, 64, V, 2) and their labels (N,)."""
    network.eval()
    skeleton, labels = clips
    layout = load_layout(_LAYOUT)
    device = next(network.parameters()).device
    index_t = _index_t().to(device)
    logits = [
        network(stream_input(part.to(device), layout, stream), index_t.expand(len(part), -1)).float().cpu()
        for part in skeleton.split(_CHUNK)
    ]
    return score(torch.cat(logits).numpy(), labels)


def held_out(seed: int, count: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Normalised clips that no training run with that seed has seen, and their labels."""
    chunks = [synthesise(seed + _VALIDATION_SEED_OFFSET, i, _CHUNK) for i in range(-(-count // _CHUNK))]
    skeleton = np.concatenate([normalise(chunk.joints) for chunk in chunks])[:count]
    return torch.from_numpy(skeleton), np.concatenate([chunk.labels for chunk in chunks])[:count]


def _validation_set(config: TrainConfig) -> tuple[Tensor, NDArray[np.int64]]:
    return held_out(config.seed, config.validation_clips)


def _training_batches(config: TrainConfig, first_step: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches from ``first_step`` on, always the same ones; the next chunk is made while this one trains."""
    layout = load_layout(_LAYOUT)

    def make(chunk: int) -> tuple[Tensor, Tensor]:
        clips = synthesise(config.seed, chunk, config.batch * per_chunk)
        rng = np.random.default_rng([config.seed, chunk, 1])
        return torch.from_numpy(augment(normalise(clips.joints), layout, rng)), torch.from_numpy(clips.labels)

    per_chunk = max(_CHUNK // config.batch, 1)
    with ThreadPoolExecutor(max_workers=1) as maker:
        chunk, skip = divmod(first_step, per_chunk)
        coming = maker.submit(make, chunk)
        for step in range(first_step, config.steps):
            if skip == 0 or step == first_step:
                skeleton, labels = coming.result()
                chunk += 1
                coming = maker.submit(make, chunk)
            part = slice(skip * config.batch, (skip + 1) * config.batch)
            yield skeleton[part], labels[part]
            skip = (skip + 1) % per_chunk


def _index_t() -> Tensor:
    """(1, 64): a clip of 64 frames is taken as it is."""
    return (2 * torch.arange(WINDOW_FRAMES, dtype=torch.float64) / WINDOW_FRAMES - 1).float()[None]


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise MarEdgeError("no CUDA device that this torch can use; train with --device cpu, or install torch for CUDA")
    return torch.device(name)


def _claim(run: Path, config: TrainConfig) -> None:
    """Make the run folder, or see that the run in it is this one."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "config.json"
    document = msgspec.json.format(msgspec.json.encode(config))
    if path.exists() and path.read_bytes() != document:
        raise MarEdgeError(f"{run} holds a run with another configuration; name another folder, or remove this one")
    path.write_bytes(document)


def _describe(config: TrainConfig, step: int, scores: Scores) -> CheckpointInfo:
    names = [label.name for label in CLASSES]
    accuracy = {"top1": scores.top1, "top3": scores.top3, "f1_macro": scores.f1_macro}
    accuracy |= {f"f1 {name}": float(value) for name, value in zip(names, scores.f1, strict=True)}
    depths = ",".join(map(str, config.depths))
    return CheckpointInfo(
        layout=_LAYOUT,
        stream=config.stream,
        labels=CLASSES,
        background=names.index(BACKGROUND_NAME),
        window_s=_WINDOW_S,
        name=f"MMN {config.stream}, depths {depths}, width {config.width}, synthetic motion",
        training_data=(
            f"synthetic motion only (mar-edge {edge.__version__}, seed {config.seed}): {step * config.batch} clips, "
            f"each seen once; scores on {config.validation_clips} held-out synthetic clips"
        ),
        accuracy={name: round(value, 4) for name, value in accuracy.items()},
        licence="Apache-2.0",
    )


def _append(path: Path, progress: Progress) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(progress) + b"\n")


def _save_state(run: Path, parts: dict[str, Any], step: int, best: float) -> None:
    state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
    state |= {"step": step, "best": best, "torch_rng": torch.get_rng_state()}
    torch.save(state, run / "state.pt.new")
    os.replace(run / "state.pt.new", run / "state.pt")


def _resume(run: Path, parts: dict[str, Any], device: torch.device) -> tuple[int, float]:
    """Step and best score to go on from; (0, -1) for a new run."""
    path = run / "state.pt"
    if not path.exists():
        return 0, -1.0
    state = torch.load(path, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["torch_rng"].cpu())
    return int(state["step"]), float(state["best"])
