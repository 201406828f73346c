"""``mar-edge evaluate``: from a model and a data set to a report. Joins the parts; prints nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

import mar_edge
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.labels import read_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.prior import default_prior, shift_of
from mar_edge.edge.progress import Progress
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.score_calibration import write_score_calibration
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.datasets.base import Batch, LabeledClips
from mar_edge.training.datasets.opening import files_of, open_dataset, parse_spec
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.evaluation.clip_predictions import ClipPredictions, predict_clips
from mar_edge.training.evaluation.clip_results import score_clips
from mar_edge.training.evaluation.corrected import open_corrected
from mar_edge.training.evaluation.live_thresholds import fit_live_thresholds
from mar_edge.training.evaluation.mma52_videos import open_mma52_videos, write_detections
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.real_results import check_fits, score_real
from mar_edge.training.evaluation.report import Evaluation, ModelFacts, report_files, write_report
from mar_edge.training.evaluation.score_calibration import (
    fit_clip_temperature,
    fit_clip_thresholds,
    to_score_calibration,
)
from mar_edge.training.evaluation.served import serve_recordings
from mar_edge.training.evaluation.stream_results import StreamResults, score_recordings
from mar_edge.training.evaluation.streaming import Take, evaluate_takes, plan_takes
from mar_edge.training.evaluation.submission import action_ids, write_submission
from mar_edge.training.evaluation.trained_on import Origin, TrainedOn, compare
from mar_edge.training.evaluation.truth import RealSet, open_real
from mar_edge.training.pictures.dataset import VideoDataset
from mar_edge.training.pictures.opening import open_video_dataset

TRUTH = "truth:"
# Videos are decoded while the network runs. An inference takes few of them: each has eight pictures.
_DECODING = {"batch": 8, "workers": min(max((os.cpu_count() or 1) // 2, 1), 8)}


@dataclass(frozen=True)
class EvaluateConfig:
    """The task of ``evaluate``.

    data: spec of a data set (``open_dataset``), or real recordings: ``truth:FOLDER`` (``training.evaluation.truth``) or
    ``corrections:FOLDER`` (``training.evaluation.corrected``). participants: whose corrections; empty for everybody's.

    detection: whether ``data``, which is then MMA-52, is evaluated as whole videos and not as windows.

    labels_file: names of its classes, if not the usual ones. out: folder of the report.

    clips: number of clips, evenly spread; None for all. known_only: leave out clips of unknown labels.

    submission: zip for the challenge.

    confidence: file for temperature and thresholds, for ``mar-edge export``. They are fitted on these clips. If there
    is live footage, thresholds are fitted on it, and it is not used to evaluate the model.

    false_per_minute: largest number of false events per minute in that footage.

    minutes, idle_minutes, concurrent_minutes: live footage with one action at a time, with none, with several at once.

    seed: of the footage. rules: how skeletons become events.
    """

    model: ModelSource
    data: str
    out: Path
    participants: tuple[str, ...] = ()
    detection: bool = False
    labels_file: Path | None = None
    clips: int | None = None
    known_only: bool = False
    submission: Path | None = None
    confidence: Path | None = None
    false_per_minute: float = 1.0
    minutes: float = 0.0
    idle_minutes: float = 0.0
    concurrent_minutes: float = 0.0
    seed: int = 1
    rules: PipelineRules = field(default_factory=PipelineRules)


def evaluate(config: EvaluateConfig, progress: Progress) -> Evaluation | None:
    """Evaluate a model; write the report and, if asked for, the submission.

    Returns:
        The content of the report; None for data without labels, of which there is only a submission.

    Raises:
        MarEdgeError: a file or folder cannot be read or written, or model and data do not fit each other. Such
            mistakes are found before the first inference, if possible.
    """
    is_truth = config.data.startswith(TRUTH)
    is_corrections = not is_truth and parse_spec(config.data).kind == "corrections"
    if config.participants and not is_corrections:
        raise MarEdgeError(f"--participants is for corrections:FOLDER, not for {config.data}")
    data = [Path(config.data.removeprefix(TRUTH))] if is_truth else files_of(config.data)
    check_outputs(
        [*report_files(config.out), config.submission, config.confidence],
        [*config.model.paths, config.labels_file, *data],
    )
    if is_truth or is_corrections or config.detection:
        return _evaluate_real(config, progress)
    labels = read_labels(config.labels_file) if config.labels_file else None
    if parse_spec(config.data).kind == "videos":
        return _evaluate_clips(config, open_video_dataset(config.data, labels=labels), progress)
    return _evaluate_clips(config, open_dataset(config.data, labels=labels), progress)


def _evaluate_clips(config: EvaluateConfig, dataset: LabeledClips[Batch], progress: Progress) -> Evaluation | None:
    """Evaluate a model on clips, and on live footage if asked for."""
    pictures = isinstance(dataset, VideoDataset)
    if pictures and config.minutes + config.idle_minutes + config.concurrent_minutes:
        raise MarEdgeError(
            "synthetic live footage is skeletons without pictures; leave out --streaming, --idle and --concurrent"
        )
    with config.model.open(dataset.layout, "manet" if pictures else "mmn") as recognizer:
        metadata = recognizer.metadata
        if config.submission is not None:
            action_ids(metadata)
        takes = _takes(config, metadata)
        if config.rules.prior is not None and not takes:
            raise MarEdgeError(
                "--prior is for live use: clips are evaluated on the network's outputs alone; "
                f"give --streaming, --idle or --concurrent, or {TRUTH}FOLDER as the data"
            )
        prior = _prior(config, metadata)
        predictions = predict_clips(
            recognizer,
            dataset,
            progress,
            clips=config.clips,
            known_only=config.known_only,
            **(_DECODING if pictures else {}),
        )
        if config.submission is not None:
            write_submission(config.submission, metadata, predictions)
        labeled = bool((predictions.labels >= 0).any())
        used, whole = len(predictions.labels), len(dataset)
        clips_name = dataset.name if used == whole else f"{used} clips out of: {dataset.name}"
        if not labeled and not takes:
            if config.submission is not None:
                return None
            raise MarEdgeError(
                f"the clips of {config.data} have no labels to evaluate by; --submission writes the predictions"
            )
        if config.confidence is not None:
            _fit_scores(config, metadata, predictions, clips_name, takes=takes, progress=progress)
            takes = ()
        stream, concurrent = _live(config, takes, metadata, progress)
        evaluation = Evaluation(
            mar_edge_version=mar_edge.__version__,
            model=_facts(config, recognizer),
            prior=prior if takes else None,
            trained_on=_clips_trained_on(metadata, dataset),
            clips=score_clips(predictions, clips_name) if labeled else None,
            stream=stream,
            concurrent=concurrent,
        )
    write_report(config.out, evaluation)
    return evaluation


def _evaluate_real(config: EvaluateConfig, progress: Progress) -> Evaluation | None:
    """Evaluate a model on real recordings, and on live footage if asked for."""
    for option, given in (
        ("--submission", None if config.detection else config.submission),
        ("--confidence", config.confidence),
        ("--clips", config.clips),
        ("--labels", config.labels_file),
    ):
        if given is not None:
            raise MarEdgeError(f"{option} is for data sets of clips; {config.data} holds whole recordings")
    real = _open_real(config)
    # A second thread gains nothing on networks this small. On busy cores it makes them five times slower.
    with replace(config.model, threads=config.model.threads or 1).open(real.layout) as recognizer:
        check_fits(real, recognizer.metadata, known_only=config.known_only)
        if config.submission is not None:
            action_ids(recognizer.metadata)
        takes = _takes(config, recognizer.metadata)
        prior = _prior(config, recognizer.metadata)
        served = serve_recordings(real, recognizer, config.rules, progress)
        labeled = bool(real.labels) or not config.detection  # videos of MA-52's test split are not
        if config.submission is not None:
            write_detections(config.submission, recognizer.metadata, real, served)
            if not labeled and not takes:
                return None
        stream, concurrent = _live(config, takes, recognizer.metadata, progress)
        evaluation = Evaluation(
            mar_edge_version=mar_edge.__version__,
            model=_facts(config, recognizer),
            prior=prior,
            trained_on=_trained_on(recognizer.metadata, real),
            real=score_real(real, served, recognizer.metadata) if labeled else None,
            clips=None,
            stream=stream,
            concurrent=concurrent,
        )
    write_report(config.out, evaluation)
    return evaluation


def _open_real(config: EvaluateConfig) -> RealSet:
    if config.data.startswith(TRUTH) and not config.detection:
        return open_real(Path(config.data.removeprefix(TRUTH)))
    spec = parse_spec(config.data)
    if spec.kind == "corrections" and not config.detection:
        return open_corrected(spec.path, config.participants)
    if spec.kind != "mma52":
        raise MarEdgeError(
            f"--detection is for whole videos: --data mma52:FOLDER or mma52-test:FOLDER, not {config.data}"
        )
    split = spec.split or "val"
    if split == "test" and config.submission is None:
        raise MarEdgeError(f"{config.data} has no labels to evaluate by; --submission writes the predictions")
    return open_mma52_videos(spec.path, split)


def _trained_on(metadata: ModelMetadata, real: RealSet) -> TrainedOn:
    return compare(metadata.trained_on, [one.origin for one in real.recordings if one.origin], real.there)


def _clips_trained_on(metadata: ModelMetadata, dataset: LabeledClips[Batch]) -> TrainedOn | None:
    """Return the comparison for clips of recordings, whose participants are unknown; None for other clips."""
    if not isinstance(dataset, StoredDataset) or not dataset.recordings:
        return None
    origins = [Origin(fingerprint, fingerprint) for fingerprint in dataset.recordings]
    return msgspec.structs.replace(compare(metadata.trained_on, origins, origins), others=())


def _takes(config: EvaluateConfig, metadata: ModelMetadata) -> tuple[Take, ...]:
    if not config.minutes + config.idle_minutes + config.concurrent_minutes:
        return ()
    return plan_takes(metadata, config.minutes, config.idle_minutes, config.seed, config.concurrent_minutes)


def _prior(config: EvaluateConfig, metadata: ModelMetadata) -> str:
    """Return the name of the frequencies of live use; check that they fit the model."""
    prior = config.rules.prior or default_prior(metadata)
    shift_of(prior, metadata)
    return prior.name


def _live(
    config: EvaluateConfig, takes: tuple[Take, ...], metadata: ModelMetadata, progress: Progress
) -> tuple[StreamResults | None, StreamResults | None]:
    """Return the results with one action at a time, and those with several at once."""
    evaluated = evaluate_takes(config.model, config.rules, takes, progress) if takes else []
    parts = ([one for one in evaluated if one.concurrent == together] for together in (False, True))
    alone, together = (
        score_recordings(part, takes[0].labels, config.seed, metadata) if part else None for part in parts
    )
    return alone, together


def _fit_scores(
    config: EvaluateConfig,
    metadata: ModelMetadata,
    predictions: ClipPredictions,
    fitted_on: str,
    *,
    takes: tuple[Take, ...],
    progress: Progress,
) -> None:
    assert config.confidence is not None
    if not (predictions.labels >= 0).any():
        raise MarEdgeError(f"{fitted_on}: fitting takes labeled clips")
    temperature = fit_clip_temperature(metadata, predictions)
    if takes:
        evaluated = evaluate_takes(config.model, config.rules, takes, progress, temperature)
        thresholds = fit_live_thresholds(evaluated, metadata, config.rules.events, config.false_per_minute)
        minutes = sum(take.duration_s for take in takes) / 60
        fitted_on += (
            f"; thresholds on {minutes:g} minutes of synthetic recordings, seed {config.seed}, "
            f"at most {config.false_per_minute:g} false events per minute"
        )
    else:
        thresholds = fit_clip_thresholds(metadata, predictions, temperature)
    write_score_calibration(config.confidence, to_score_calibration(metadata, temperature, thresholds, fitted_on))


def _facts(config: EvaluateConfig, recognizer: WindowRecognizer) -> ModelFacts:
    metadata = recognizer.metadata
    return ModelFacts(
        name=metadata.name,
        files=tuple(path.name for path in config.model.paths),
        sha256=metadata.sources_sha256,
        runtime=recognizer.runtime.name,
        family=metadata.family,
        layout=metadata.layout,
        streams=metadata.streams,
        precision=metadata.precision,
        classes=len(metadata.labels),
        window_s=metadata.window_s,
        training_data=metadata.training_data,
    )
