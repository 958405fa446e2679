"""`recsys evaluate`: one run's best epoch under several protocols at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from recsys.commands.assembly import Parts, assemble, lists_read_attributes, make_lists, reads_attributes
from recsys.commands.configuration import check_types, conf_dir
from recsys.commands.environment import quiet_lightning
from recsys.commands.evaluation_table import evaluation_table, lists_table
from recsys.commands.fitting import load_best
from recsys.commands.recipe import catalogue_of
from recsys.commands.run_directory import register_resolvers
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Vocabulary
from recsys.data.splits import Splitter
from recsys.evaluation import Evaluation, Evaluator, RankingProtocol, Scorer, evaluate_all
from recsys.metrics.ranking import RankingMetrics
from recsys.models.popularity import Popularity
from recsys.products import prefer_onednn
from recsys.report.runs import Run, load_run
from recsys.tasks.ranking import RankingTask

USAGE = "recsys evaluate run=DIRECTORY eval=full,uniform_100 [eval.KEY=...] [data.KEY=...]"
OWN = ("run", "eval")
console = Console()


class Rebuilt(NamedTuple):
    """A run as it was trained: its data, its split and, as scorer, its model with the best epoch's weights."""

    run: Run
    scorer: Scorer
    parts: Parts
    catalogue: Catalogue
    users: Vocabulary


def main(argv: list[str]) -> None:
    """Evaluates validation and test set, prints a table and writes evaluations.json and per_user_*.parquet."""
    quiet_lightning()
    prefer_onednn()
    given, overrides = arguments(argv)
    names = given["eval"].split(",")
    options = {name: compose_option(name, [o for o in overrides if o.startswith("eval.")]) for name in names}
    attributed = any(map(lists_read_attributes, options.values()))
    run = rebuild(Path(given["run"]), [o for o in overrides if not o.startswith("eval.")], with_attributes=attributed)
    protocols = {name: make_protocol(node, run.catalogue) for name, node in options.items()}
    pop = Popularity(run.catalogue)
    pop.fit()
    ours, theirs = (
        {part: scored(scorer, run, options, protocols, part=part) for part in ("val", "test")}
        for scorer in (run.scorer, pop)
    )
    record = {
        name: {
            "protocol": protocols[name].describe(),
            "label": options[name].metrics.get("label") or "",
            "metrics": by_part(ours, name),
            "baselines": {"pop": by_part(theirs, name)},
        }
        for name in names
    }
    write(run, record, {name: ours["test"][name] for name in names})
    console.print(evaluation_table(run.run, record))
    if any(node.get("lists") for node in options.values()):
        ranked = [name for node in options.values() for name in RankingMetrics(cutoffs=node.metrics.cutoffs).names]
        console.print(lists_table(run.run, record, names=ranked))
    console.print(f"{run.run.path / 'evaluations.json'}", soft_wrap=True)


def arguments(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """`run` and `eval`, and the overrides. ValueError where one is missing or another key is given."""
    pairs = {key: value for key, _, value in (argument.partition("=") for argument in argv)}
    for key in pairs:
        if key not in OWN and not key.startswith(("eval.", "data.")):
            raise ValueError(f"{key}: unknown key of evaluate; write {USAGE}")
    if not pairs.get("run"):
        raise ValueError(f"run is required: {USAGE}")
    given = {"eval": "full"} | {key: pairs[key] for key in OWN if key in pairs}
    return given, [argument for argument in argv if argument.partition("=")[0] not in given]


def compose_option(name: str, overrides: list[str]) -> DictConfig:
    """The node `eval` with that option of the group. ValueError where there is none, or a key is unknown or missing."""
    known = sorted(path.stem for path in (conf_dir() / "eval").glob("*.yaml"))
    if name not in known:
        raise ValueError(f"eval={name}: no such option; known options of eval: {', '.join(known)}")
    register_resolvers()
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        node = compose("train", overrides=[f"eval={name}", *overrides]).eval
    check_types(OmegaConf.create({"eval": node}))
    return node


def rebuild(path: Path, overrides: list[str], *, with_attributes: bool) -> Rebuilt:
    """Data, split and model of the run at `path`, with the weights of its best epoch.

    overrides: of keys of `data` alone, for data that lies elsewhere now. ValueError where data or split are not those
    of the run, or where it ranks nothing.
    """
    run = load_run(path)
    if "model" not in run.config:
        raise ValueError(f"{path} has no model of its own: it is made of other runs; give one of those")
    config = OmegaConf.merge(OmegaConf.create(run.config), OmegaConf.from_dotlist(overrides))
    assert isinstance(config, DictConfig)
    dataset = instantiate(config.data)
    sequences = dataset.sequences()
    splitter: Splitter = instantiate(config.split)
    split = splitter(sequences)
    for name, here in (("data", sequences.fingerprint), ("split", split.fingerprint())):
        if run.fingerprints.get(name) != here:
            there = run.fingerprints.get(name, "none")
            raise ValueError(
                f"{path}: the {name} has another fingerprint than when the run was trained ({there[:8]}... there, "
                f"{here[:8]}... here); give that data with data.path=FILE"
            )
    attributes = dataset.attributes(sequences) if with_attributes or reads_attributes(config) else ()
    catalogue = catalogue_of(sequences, split, attributes)
    parts = assemble(config, split, catalogue)
    if not isinstance(parts.task, RankingTask):
        raise ValueError(f"{path} is a run that ranks nothing; give one that does")
    load_best(parts, path / "best.ckpt", console)
    return Rebuilt(run, parts.task.eval(), parts, catalogue, sequences.users)


def make_protocol(node: DictConfig, catalogue: Catalogue) -> RankingProtocol:
    """The protocol, its negatives at hand."""
    protocol = instantiate(node.protocol)
    protocol.prepare(catalogue)
    return protocol


def scored(
    scorer: Scorer,
    run: Rebuilt,
    options: Mapping[str, DictConfig],
    protocols: Mapping[str, RankingProtocol],
    *,
    part: str,
) -> dict[str, Evaluation]:
    """Option -> what the scorer scores under it, on one part of the split."""
    evaluators = {
        name: Evaluator(
            protocol=protocols[name], metrics=instantiate(node.metrics), lists=make_lists(node, run.catalogue)
        )
        for name, node in options.items()
    }
    return evaluate_all(scorer, run.parts.datamodule.get_dataloader(part), evaluators)


def by_part(results: Mapping[str, Mapping[str, Evaluation]], name: str) -> dict[str, float]:
    """{"test": {"full": {"ndcg@10": x}}} -> {"test/ndcg@10": x} of one option."""
    return {f"{part}/{key}": value for part, result in results.items() for key, value in result[name].summary.items()}


def write(run: Rebuilt, record: Mapping[str, Any], tested: Mapping[str, Evaluation]) -> None:
    """evaluations.json, in which options evaluated earlier stay, and the test users of each option."""
    path = run.run.path / "evaluations.json"
    earlier = json.loads(path.read_text())["evaluations"] if path.exists() else {}
    facts = {
        "fingerprints": {name: run.run.fingerprints[name] for name in ("data", "split")},
        "best_epoch": run.run.best_epoch,
        "evaluations": earlier | dict(record),
    }
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(facts, indent=1))
    partial.replace(path)
    for name, evaluation in tested.items():
        table = evaluation.per_user
        table.assign(user=run.users.ids[table["user"]]).to_parquet(run.run.path / f"per_user_{name}.parquet")
