"""What decides about the events of a video: model, pose stage, rules and version. Equal settings give equal results."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mar_edge import __version__
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.pose.choice import PoseConfig
from mar_edge.edge.served_models import ServedModels
from mar_edge.streaming.recognition.pipeline import PipelineRules


@dataclass(frozen=True)
class AnalyzeConfig:
    """How videos are analyzed.

    models: of skeletons, of pictures, or both.
    pose: which stage. rules: how skeletons become events.
    runtime: of the model. threads: of one inference on a CPU; 0 takes every core.
    """

    models: ServedModels = field(default_factory=ServedModels)
    pose: PoseConfig = field(default_factory=PoseConfig)
    rules: PipelineRules = field(default_factory=PipelineRules)
    runtime: RuntimeName = "auto"
    threads: int = 0

    def with_threads(self, threads: int) -> AnalyzeConfig:
        """Return the same with that number of threads, also for the pose stage."""
        return dataclasses.replace(self, threads=threads, pose=dataclasses.replace(self.pose, threads=threads))

    def settings(self) -> dict[str, Any]:
        """Return all that decides about the events, as JSON holds it.

        Threads are not part of it: results do not depend on them.

        Raises:
            MarEdgeError: a file cannot be read.
        """
        pose = dataclasses.asdict(self.pose)
        for name in ("threads", "mirror"):
            del pose[name]
        files = {name: Path(pose[name]) for name in ("pose", "detector") if pose[name] is not None}
        files = {name: path for name, path in files.items() if path.is_file()}
        try:
            pose |= {name: f"{path.name}, SHA-256 {sha256_of(path)}" for name, path in files.items()}
            main, *others = (sha256_of(model.file) for model in self.models.files)
        except OSError as error:
            raise MarEdgeError(f"cannot read {error.filename}: {error.strerror}") from None
        settings = {
            "version": __version__,
            "model": main,
            **({"picture_model": others[0]} if others else {}),
            "pose": pose,
            "rules": msgspec.to_builtins(self.rules),
            "runtime": self.runtime,
        }
        decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
        return decoded
