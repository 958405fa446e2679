"""The `recsys` command: finds the verb and hands the rest of the line to its module.

Nothing heavy is imported before the verb is known, so that help answers at once.
"""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from recsys import __version__
from recsys.config.mistakes import behind_hydra, is_user_error
from recsys.startup import settle_process

VERBS = {  # verb: what it does; for the module see module_of
    "train": "train, validate and test one model, or a whole grid of them with -m",
    "evaluate": "score a run's best epoch under several protocols at once: full ranking, sampled negatives",
    "refit": "train a run's model on the held-out rows too, before a submission: on everything, or by the swap",
    "recommend": "write the best unseen items of users, of new ones too: a submission, as CSV, TSV or Parquet",
    "data": "print what a data set and a split look like, and what of the evaluation leaks into training",
    "diagnose": "what a model makes of missing values and true negatives: AUC, false negatives, calibration",
    "inspect": "print the attention mask and the shape after every stage of a model, for one toy row",
    "report": "compare the runs of a study: table, paired tests, Markdown, LaTeX, CSV and a page to look at",
    "ensemble": "join several runs' top lists into one model and evaluate it as any other",
    "folds": "join the runs of all folds of a split: predictions out of fold, one result, bagged models",
    "tune": "search for the best hyper-parameters by validation, then train them with other seeds",
    "ledger": "list the runs that have ended, filtered and sorted: who, when, what differs, what it took, metrics",
    "rerun": "show what differs from a run's config, then train that",
    "export-atomic": "write a data set, its split and its items' attributes as RecBole's atomic files",
    "import-checkpoint": "make a checkpoint to start from of a model that S3-Rec's released code has saved",
}

EXAMPLES = (
    "recsys train                                    # SASRec on MovieLens-100K",
    "recsys train model=sasrec loss=bpr seed=1",
    "recsys train -m loss=bce,ce,bpr 'seed=range(0,3)'",
    "recsys report outputs/scratch                   # all runs compared, as a table and as a page",
    "recsys train --help                             # every key with its value",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: 0, 2 for a mistake of the user, 130 after Ctrl-C, 141 where a
    pipe's reader has gone.

    A mistake of the user prints one line on stderr; anything else keeps its traceback, as does every error
    where the environment variable HYDRA_FULL_ERROR is 1.
    """
    settle_process()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0
    if arguments[0] == "--version":
        print(f"recsys {__version__}")
        return 0
    try:
        try:
            return _run(arguments[0], arguments[1:])
        finally:
            sys.stdout.flush()  # here, where a reader that has gone is no error
    except BrokenPipeError:  # of `recsys ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 141
    except KeyboardInterrupt:
        print("recsys: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        cause = behind_hydra(error)
        if os.environ.get("HYDRA_FULL_ERROR") == "1" or not is_user_error(cause):
            raise
        print(f"recsys: error: {_one_line(cause)}", file=sys.stderr)
        return 2


def _run(verb: str, arguments: list[str]) -> int:
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"the verbs are {', '.join(VERBS)}"
        raise ValueError(f"unknown verb '{verb}'; {advice}")
    return import_module(module_of(verb)).main(arguments) or 0


def module_of(verb: str) -> str:
    """Name of the module whose `main` does what the verb says."""
    return f"recsys.commands.{verb.replace('-', '_')}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _help() -> str:
    width = max(map(len, VERBS))
    return "\n".join(
        [
            "usage: recsys VERB [key=value ...]",
            "",
            *(f"  {verb:<{width}}  {description}" for verb, description in VERBS.items()),
            "",
            "examples:",
            *(f"  {example}" for example in EXAMPLES),
        ]
    )
