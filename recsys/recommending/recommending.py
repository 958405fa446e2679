"""The work of `recsys recommend`: whom to serve, what they have had, and what is written."""

import numpy as np
from rich.console import Console
from rich.progress import track
from torch import nn

from recsys.evaluation.top_items import STRETCH, check_enough, top_items
from recsys.options.recommend import RecommendOptions
from recsys.products import prefer_onednn
from recsys.recommending.audience import Audience, everybody, newcomers, these_users
from recsys.recommending.file import RecommendationFile
from recsys.runs.environment import quiet_lightning
from recsys.runs.rebuilding import Rebuilt, rebuild

console = Console()
stderr = Console(stderr=True)


def recommend(options: RecommendOptions) -> None:
    """Writes k items for each user; says what the model has not seen."""
    quiet_lightning()
    prefer_onednn()
    run = rebuild(options.run, list(options.overrides))
    audience = audience_of(run, options)
    check_vectors(run, audience)
    num_items = run.catalogue.num_items
    check_enough(audience.histories, k=options.k, num_items=num_items)
    titles = run.data.dataset.titles_of(run.data.sequences) if options.titles else None
    warn_of_held_out(run)
    stretches = top_items(
        run.task,
        audience.histories,
        audience.indices,
        k=options.k,
        num_items=num_items,
        max_length=run.parts.datamodule.max_length,
        batch_size=options.batch_size,
    )
    total = -(-len(audience.ids) // (STRETCH * options.batch_size))
    with RecommendationFile(options.out, items=run.catalogue.items.ids, titles=titles, scores=options.scores) as file:
        done = 0
        for stretch in track(stretches, "recommending", total=total, console=stderr, transient=True):
            file.add(audience.ids[done : done + len(stretch.users)], stretch)
            done += len(stretch.users)
    console.print(f"{options.k} items for each of {done:,} users -> {options.out}", soft_wrap=True)


def audience_of(run: Rebuilt, options: RecommendOptions) -> Audience:
    """The users to be served and what they have had."""
    if options.histories is not None:
        audience, unknown = newcomers(run.data.dataset, run.catalogue, options.histories)
        if unknown:
            stderr.print(f"left out: {unknown:,} interactions with items that the data does not know", style="yellow")
        return audience
    sequences = run.data.splitter.ordered(run.data.sequences)
    return everybody(sequences) if options.users is None else these_users(sequences, run.catalogue, options.users)


def check_vectors(run: Rebuilt, audience: Audience) -> None:
    """Raises ValueError where the model knows users by vectors, and none was trained for somebody to be served."""
    model: nn.Module = run.task.get_submodule("model")
    if not getattr(model, "has_user_vectors", False):
        return
    trained = run.data.split.train.lengths > 0
    known = audience.indices < len(trained)
    known[known] = trained[audience.indices[known]]
    if not known.all():
        stranger = audience.ids[np.flatnonzero(~known)[0]]
        raise ValueError(
            f"{type(model).__name__} knows each user by a vector, and of {len(known):,} users {np.sum(~known):,} "
            f"(such as {stranger}) were not in training; give a run of a model that reads histories (sasrec, ease), or "
            f"for users of the data train on them: recsys refit run={run.data.run.path} how=full"
        )


def warn_of_held_out(run: Rebuilt) -> None:
    """Says how much of the data the model was not trained on."""
    trained, there = int(run.data.split.train.lengths.sum()), run.data.sequences.num_interactions
    if trained < there:
        stderr.print(
            f"this model has not been trained on {there - trained:,} of {there:,} interactions, which were held out; "
            f"before a submission: recsys refit run={run.data.run.path} how=full",
            style="yellow",
            soft_wrap=True,
        )
