"""The work of `recsys recommend`: whom to serve, what they have had, and what is written."""

import numpy as np
from rich.progress import track
from torch import nn

from recsys.consoles import plain_console
from recsys.evaluation.top_items import STRETCH, check_enough, top_items
from recsys.options.recommend import RecommendOptions
from recsys.products import prefer_onednn
from recsys.recommending.audience import Audience, LeftOut, everybody, newcomers, these_users
from recsys.recommending.file import RecommendationFile, check_writable
from recsys.recommending.recommenders import Recommender, recommender_of
from recsys.runs.environment import quiet_lightning
from recsys.runs.rebuilding import Rebuilt

console = plain_console()
stderr = plain_console(stderr=True)


def recommend(options: RecommendOptions) -> None:
    """Writes k items for each user; says what the model has not seen."""
    quiet_lightning()
    prefer_onednn()
    check_writable(options.out)
    recommender = recommender_of(options.run, list(options.overrides), k=options.k, refit=options.refit)
    run = recommender.first
    audience = audience_of(run, options)
    for member in recommender.members:
        check_vectors(member, audience)
    num_items = run.catalogue.num_items
    check_enough(audience.histories, audience.ids, k=options.k, num_items=num_items)
    titles = run.data.dataset.titles_of(run.data.sequences) if options.titles else None
    warn_of_held_out(recommender)
    stretches = top_items(
        recommender.scorer,
        audience.histories,
        audience.indices,
        k=options.k,
        num_items=num_items,
        max_length=recommender.max_length,
        batch_size=options.batch_size,
    )
    total = -(-len(audience.ids) // (STRETCH * options.batch_size))
    hidden = not stderr.is_terminal
    with RecommendationFile(options.out, items=run.catalogue.items.ids, titles=titles, scores=options.scores) as file:
        done = 0
        for stretch in track(stretches, "recommending", total=total, console=stderr, transient=True, disable=hidden):
            file.add(audience.ids[done : done + len(stretch.users)], stretch)
            done += len(stretch.users)
    console.print(f"{counted(options.k, 'item')} for each of {counted(done, 'user')} -> {options.out}", soft_wrap=True)


def audience_of(run: Rebuilt, options: RecommendOptions) -> Audience:
    """The users to be served and what they have had."""
    data = run.data
    if options.histories is not None:
        audience, left = newcomers(data.dataset, data.splitter, run.catalogue, options.histories)
        warn_of_left_out(left)
        return audience
    sequences = data.splitter.ordered(data.sequences)
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
            f"{type(model).__name__} knows each user by a vector, and of {counted(len(known), 'user')} "
            f"{np.sum(~known):,} (such as {stranger}) were not in training; give a run of a model that reads histories "
            f"(sasrec, ease), or for users of the data train on them: recsys refit run={run.data.run.path} how=full"
        )


def warn_of_left_out(left: LeftOut) -> None:
    """Says which new users get no list, and how many interactions count for nothing."""
    if left.rows:
        what = f"{counted(left.rows, 'interaction')} with items that the data does not know"
        warn(f"left out: {what}")
    if len(left.users):
        what = (
            f"{counted(len(left.users), 'user')} without an item that the data knows and keeps, such as {left.users[0]}"
        )
        warn(f"left out: {what}; no rows are written for them")


def warn_of_held_out(recommender: Recommender) -> None:
    """Says how much of the data the model was not trained on."""
    there = recommender.first.data.sequences.num_interactions
    trained = min(int(member.data.split.train.lengths.sum()) for member in recommender.members)
    if trained == there:
        return
    if len(recommender.members) > 1:
        text = (
            f"each of {len(recommender.members)} members has been trained as it was evaluated: of {there:,} "
            f"interactions {there - trained:,} or fewer were held out"
        )
    else:
        text = (
            f"this model has not been trained on {there - trained:,} of {there:,} interactions, which were held out; "
            f"before a submission: recsys refit run={recommender.first.data.run.path} how=full"
        )
    warn(text)


def warn(text: str) -> None:
    """A yellow line on standard error."""
    stderr.print(text, style="yellow", soft_wrap=True, highlight=False)


def counted(number: int, what: str) -> str:
    """`1 user`, `2,000 users`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
