"""What a network is trained to make small: losses of score maps, offsets and position errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from gammafind.errors import OptionError

Tensor = Any
"""Tensor of whichever backend keras runs on."""

_WITH_POSITIONS = 4
_LOG_ERRORS = (-5.0, 3.0)
"""Range of the logarithm of position errors; outside it the loss is constant."""


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """Weights of the parts of the loss.

    Parameters
    ----------
    cross_entropy : float
        Of the plain cross-entropy of the scores.
    focal : float
        Of the cross-entropy in which each pixel counts by how wrong it is.
    gamma : float
        Power of the error in the focal part.
    dice : float
        Of the Dice loss of the scores.
    position : float
        Of the negative log-likelihood of the offsets.
    offset : float
        Of the squared distance between predicted and true offset.

    Notes
    -----
    The last two are left out for networks that predict only scores.
    """

    cross_entropy: float = 1.0
    focal: float = 1.0
    gamma: float = 2.0
    dice: float = 0.0
    position: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if not (np.isfinite(value) and value >= 0):
                raise OptionError(f"{name} of the loss is {value}", remedy="It must be 0 or more.")
        if not (self.cross_entropy or self.focal or self.dice):
            raise OptionError(
                "no part of the loss depends on the scores",
                remedy="Set cross_entropy, focal or dice above 0.",
            )


def total_loss(target: Tensor, output: Tensor, options: LossOptions) -> Tensor:
    """Weighted sum of all parts of the loss that the outputs allow for.

    Parameters
    ----------
    target : tensor, shape (n, w, w, 4)
        As `gammafind.training.targets.target_maps` makes it.
    output : tensor, shape (n, w, w, 1) or (n, w, w, 4)
        Logit of the score; x and y offset in pixels; logarithm of the position error, which is
        the standard deviation in pixels of each coordinate.
    options : LossOptions

    Returns
    -------
    tensor
        One number, a mean over all pixels.
    """
    truth, logit = target[..., 0], output[..., 0]
    loss = cross_entropy(truth, logit, options)
    if options.dice:
        loss += options.dice * dice(truth, logit)
    if output.shape[-1] == _WITH_POSITIONS:
        loss += options.position * position_loss(target, output)
        if options.offset:
            loss += options.offset * offset_loss(target, output)
    return loss


def loss_function(options: LossOptions) -> Callable[[Tensor, Tensor], Tensor]:
    """Return `total_loss` with these options, as the training wants it."""
    return lambda target, output: total_loss(target, output, options)


def cross_entropy(truth: Tensor, logit: Tensor, options: LossOptions) -> Tensor:
    """Cross-entropy of scores, plain and focal.

    The focal part is that for targets between 0 and 1: cross-entropy times the absolute error of
    the score to the power gamma.

    Parameters
    ----------
    truth, logit : tensor, shape (n, w, w)
    options : LossOptions

    References
    ----------
    Lin et al. 2017, arXiv:1708.02002; Li et al. 2020, arXiv:2006.04388, eq. 5.
    """
    from keras import ops

    # log(1 + exp(-|x|)) is finite for any logit.
    entropy = ops.relu(logit) - logit * truth + ops.log1p(ops.exp(-ops.abs(logit)))
    error = ops.abs(truth - ops.sigmoid(logit))
    weight = options.cross_entropy + options.focal * error**options.gamma
    return ops.mean(weight * entropy)


def dice(truth: Tensor, logit: Tensor) -> Tensor:
    """One less the overlap of scores and targets over the whole batch.

    References
    ----------
    Milletari et al. 2016, arXiv:1606.04797.
    """
    from keras import ops

    score = ops.sigmoid(logit)
    both = 2 * ops.sum(score * truth) + 1
    return 1 - both / (ops.sum(score * score) + ops.sum(truth * truth) + 1)


def offset_loss(target: Tensor, output: Tensor) -> Tensor:
    """Weighted mean over pixels of the squared distance between predicted and true offset."""
    from keras import ops

    return ops.mean(target[..., 3] * _distance_squared(target, output))


def position_loss(target: Tensor, output: Tensor) -> Tensor:
    """Weighted mean over pixels of the negative log-likelihood of the true offset.

    The position is a Gaussian around the predicted offset, with the predicted error in each
    coordinate: the loss is least where the errors are correct.

    References
    ----------
    Kendall & Gal 2017, arXiv:1703.04977, eq. 8.
    """
    from keras import ops

    log_error = ops.clip(output[..., 3], *_LOG_ERRORS)
    scaled = _distance_squared(target, output) * ops.exp(-2 * log_error) / 2
    return ops.mean(target[..., 3] * (scaled + 2 * log_error))


def _distance_squared(target: Tensor, output: Tensor) -> Tensor:
    x = target[..., 1] - output[..., 1]
    y = target[..., 2] - output[..., 2]
    return x**2 + y**2
