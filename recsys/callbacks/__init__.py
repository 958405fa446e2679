"""What happens around training besides training."""

from recsys.callbacks.epoch_log import EpochLog
from recsys.callbacks.epoch_seed import EpochSeed
from recsys.callbacks.gradient_flow import GradientFlow
from recsys.callbacks.pruning import Pruning
from recsys.callbacks.refitting import ContinueFrom, StopAfter
from recsys.callbacks.stopwatch import Stopwatch
from recsys.callbacks.validation import ValidateIfImproved

__all__ = [
    "ContinueFrom",
    "EpochLog",
    "EpochSeed",
    "GradientFlow",
    "Pruning",
    "StopAfter",
    "Stopwatch",
    "ValidateIfImproved",
]
