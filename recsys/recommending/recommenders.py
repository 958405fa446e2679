"""What recommends: the model of a run, or those of an ensemble or of folds, joined as they were evaluated."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from recsys.evaluation import Scorer
from recsys.evaluation.fusion import POINTS, Points, score_points
from recsys.recommending.joined import Joined, Member
from recsys.report.runs import Run, load_run
from recsys.runs.rebuilding import Rebuilt, rebuild


class Recommender(NamedTuple):
    """members: the runs whose models score, on the same data. scorer: those joined. max_length: items it reads."""

    members: tuple[Rebuilt, ...]
    scorer: Scorer
    max_length: int

    @property
    def first(self) -> Rebuilt:
        """A run with the data of all."""
        return self.members[0]


class Recipe(NamedTuple):
    """How runs are joined. weights: a share of each. depth: length of their lists. same: fingerprints they share."""

    runs: Sequence[str]
    weights: Sequence[float]
    points: Points
    depth: int
    same: Sequence[str]


def recommender_of(path: Path, overrides: list[str], *, k: int, refit: str | None = None) -> Recommender:
    """What the run at `path` recommends k items with; see `rebuild`.

    refit: of which kind the refits are that stand for the run, or for each that it is made of; None: none.
    ValueError where it is made of runs that are gone or have changed, or whose lists are shorter than k.
    """
    run = load_run(path)
    recipes = [recipe for key, recipe in RECIPES.items() if key in run.config and "model" not in run.config]
    if not recipes:
        alone = rebuild(refitted(path, refit), overrides)
        return Recommender((alone,), alone.task, alone.parts.datamodule.max_length)
    recipe = _read(run, recipes[0])
    if k > recipe.depth:
        raise ValueError(
            f"k ({k}) is more than the {recipe.depth} items of each member that {path} joins; set a smaller k, or join "
            f"longer lists: k={k} where it is made"
        )
    weighted = [(member, weight) for member, weight in zip(recipe.runs, recipe.weights, strict=True) if weight > 0]
    members = tuple(_member(run, member, recipe, overrides, refit=refit) for member, _ in weighted)
    lengths = [member.parts.datamodule.max_length for member in members]
    shares = [weight for _, weight in weighted]
    joined = [Member(one.task, length, share) for one, length, share in zip(members, lengths, shares, strict=True)]
    num_items = members[0].catalogue.num_items
    return Recommender(
        members, Joined(joined, points=recipe.points, depth=recipe.depth, num_items=num_items), max(lengths)
    )


def of_ensemble(run: Run) -> Recipe:
    """As `recsys ensemble` has recorded it."""
    config, members = run.config["ensemble"], json.loads((run.path / "run.json").read_text())["members"]
    weights = [float(member["weight"]) for member in members]
    return Recipe(
        [member["run"] for member in members], weights, POINTS[config["how"]], int(config["k"]), ("data", "split")
    )


def of_folds(run: Run) -> Recipe:
    """As `recsys folds bag=true` joins them: alike, by their scores."""
    config = run.config["folds"]
    weights = [1 / len(config["runs"])] * len(config["runs"])
    return Recipe(config["runs"], weights, score_points, int(config["k"]), ("data",))


RECIPES: dict[str, Callable[[Run], Recipe]] = {"ensemble": of_ensemble, "folds": of_folds}  # by the key of a config


def _read(run: Run, recipe: Callable[[Run], Recipe]) -> Recipe:
    try:
        return recipe(run)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"{run.path / 'run.json'} does not say which runs it joins, or how ({type(error).__name__}: {error}): the "
            "record is damaged; make it again with force=true"
        ) from error


def refitted(path: Path, refit: str | None) -> Path:
    """The run's refit of that kind, which lies beside it; the run itself for None. ValueError where it is not there."""
    if refit is None:
        return path
    beside = path.with_name(f"{path.resolve().name}-{refit}")
    if not (beside / "run.json").exists():
        raise ValueError(f"refit ({refit}): {beside} is not there; make it with recsys refit run={path} how={refit}")
    return beside


def _member(joint: Run, name: str, recipe: Recipe, overrides: list[str], *, refit: str | None) -> Rebuilt:
    """A member as it was trained, or its refit. ValueError where it is gone, or on other data than it was joined on."""
    path = _place(joint, name)
    if not (path / "run.json").exists():
        raise ValueError(f"{joint.path} is made of {name}, which is gone; train it again, or join the others anew")
    run = load_run(path)
    different = [key for key in recipe.same if run.fingerprints.get(key) != joint.fingerprints.get(key)]
    if different:
        raise ValueError(
            f"{path} has another {' and '.join(different)} than when {joint.path} was made of it; make that again with "
            "force=true"
        )
    return rebuild(refitted(path, refit), overrides)


def _place(joint: Run, name: str) -> Path:
    """Where the member is: paths are recorded relative to the folder in which the runs were joined."""
    depth = len(Path(joint.config["output_dir"]).parts)
    there = joint.path.resolve().parents[depth - 1 : depth]
    return next((place for folder in there if (place := folder / name).is_dir()), Path(name))
