"""`recsys evaluate`: one run's best epoch under several protocols at once."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recsys.commands.evaluation_table import evaluation_table, lists_table
from recsys.config.composing import check_types, conf_dir
from recsys.config.errors import explain
from recsys.consoles import plain_console
from recsys.data.catalogue import Catalogue
from recsys.evaluation import Evaluation, Evaluator, RankingProtocol, Scorer, evaluate_all
from recsys.metrics.ranking import RankingMetrics
from recsys.models.popularity import Popularity
from recsys.options.arguments import parse
from recsys.products import prefer_onednn
from recsys.report.evaluations import FILE, per_user_file, read_evaluations
from recsys.runs.assembly import lists_read_attributes, make_lists
from recsys.runs.directory import register_resolvers
from recsys.runs.environment import quiet_lightning
from recsys.runs.rebuilding import Rebuilt, rebuild
from recsys.whole_files import written_whole

USAGE = "recsys evaluate run=DIRECTORY eval=full,uniform_100 [eval.KEY=...] [data.KEY=...]"
console = plain_console()


def main(argv: list[str]) -> None:
    """Evaluates validation and test set, prints a table and writes evaluations.json and per_user_*.parquet."""
    arguments = parse(
        argv, verb="evaluate", usage=USAGE, defaults={"eval": "full"}, required=["run"], groups=["eval", "data"]
    )
    given, overrides = arguments.given, arguments.overrides
    quiet_lightning()
    prefer_onednn()
    changes = [override for override in overrides if override.startswith("eval.")]
    options = compose_options(given["eval"].split(","), changes)
    attributed = any(map(lists_read_attributes, options.values()))
    path, kept = Path(given["run"]).expanduser(), [override for override in overrides if override not in changes]
    run = rebuild(path, kept, with_attributes=attributed)
    read_evaluations(run.data.run)  # refuses a broken file before it costs time
    if run.data.run.is_refit:
        raise ValueError(
            f"{given['run']} is a refit: it has been trained on what it would be asked; give the run it was made from"
        )
    protocols = {name: make_protocol(node, run.catalogue) for name, node in options.items()}
    pop = Popularity(run.catalogue)
    pop.fit()
    ours, theirs = (
        {part: scored(scorer, run, options, protocols, part=part) for part in ("val", "test")}
        for scorer in (run.task, pop)
    )
    record = {
        name: {
            "protocol": protocols[name].describe(),
            "label": options[name].metrics.get("label") or "",
            "metrics": by_part(ours, name),
            "baselines": {"pop": by_part(theirs, name)},
        }
        for name in options
    }
    write(run, record, {name: ours["test"][name] for name in options})
    console.print(evaluation_table(run.data.run, record))
    if any(node.get("lists") for node in options.values()):
        ranked = [name for node in options.values() for name in RankingMetrics(cutoffs=node.metrics.cutoffs).names]
        console.print(lists_table(run.data.run, record, names=ranked))
    console.print(f"{run.data.run.path / FILE}", soft_wrap=True)


def compose_options(names: Sequence[str], changes: Sequence[str]) -> dict[str, DictConfig]:
    """The node `eval` with each of those options of the group, by the name that its result gets.

    A change is made to those of the options that have its key. An option of whose protocol something was set to another
    value than it has gets another name: what is measured by `uniform_100,negatives.count=10` stands beside
    `uniform_100`. A value that an option leaves to the user, such as a path, changes nothing. ValueError where there is
    no such option, where none of them has a key, or where a value is missing.
    """
    found = {}
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        plain = {name: compose_option(name, []) for name in names}
        least = {change: min(unknown(node, change) for node in plain.values()) for change in changes}
        for name, usual in plain.items():
            own = [change for change in changes if unknown(usual, change) == least[change]]  # Hydra judges if that is 0
            node = compose_option(name, own) if own else usual
            check_types(OmegaConf.create({"eval": node}))
            found[",".join([name, *changed_protocol(usual, node, own)])] = node
    return found


def unknown(node: DictConfig, change: str) -> int:
    """How many names of the change's key are left over where the option's node knows no further; 0 where it has it."""
    names, here = change.partition("=")[0].split(".")[1:], node
    for place, name in enumerate(names):
        if not isinstance(here, DictConfig) or name not in here.keys():  # noqa: SIM118  # `in here` denies a missing value
            return len(names) - place
        here = here._get_node(name)
    return 0


def changed_protocol(plain: DictConfig, node: DictConfig, changes: Sequence[str]) -> list[str]:
    """`key=value` of every change to a value that the protocol has by itself, fit for a file's name."""
    keys = [change.partition("=")[0].removeprefix("eval.protocol.") for change in changes]
    values = {key: [OmegaConf.select(each.protocol, key) for each in (plain, node)] for key in keys}
    return [
        f"{key}={now}".replace("/", ".") for key, (usual, now) in values.items() if usual is not None and usual != now
    ]


def compose_option(name: str, changes: Sequence[str]) -> DictConfig:
    """The node `eval` with that option of the group, unchecked. ValueError where there is none or a key is unknown."""
    known = sorted(path.stem for path in (conf_dir() / "eval").glob("*.yaml"))
    if name not in known:
        raise ValueError(f"eval={name}: no such option; known options of eval: {', '.join(known)}")
    register_resolvers()
    overrides = [f"eval={name}", *changes]
    try:
        return compose("train", overrides=overrides).eval
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(explain(error, overrides=overrides)) from error


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
    path = run.data.run.path / FILE
    earlier = read_evaluations(run.data.run)
    facts = {
        "fingerprints": {name: run.data.run.fingerprints[name] for name in ("data", "split")},
        "best_epoch": run.data.run.best_epoch,
        "evaluations": earlier | dict(record),
    }
    for name, evaluation in tested.items():  # first: what the record speaks of has to be there
        table = evaluation.per_user
        with written_whole(path.with_name(per_user_file(name))) as partial:
            table.assign(user=run.catalogue.users.ids[table["user"]]).to_parquet(partial)
    with written_whole(path) as partial:
        partial.write_text(json.dumps(facts, indent=1))
