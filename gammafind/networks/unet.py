"""The networks: layers from the patches of all widths to one score map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gammafind.errors import OptionError, ShapeError
from gammafind.networks.backend import load_keras
from gammafind.networks.layers import check_network, standardised_inputs

Tensor = Any
"""Symbolic tensor of keras."""
Network = Any
"""A ``keras.Model``."""

_SCORE, _SCORE_OFFSET_ERROR = 1, 4
_PRIOR_LOGIT = -4.0
"""Score of an untrained network: next to no pixel holds a source."""


def build_network(
    name: str, widths: Sequence[int], channels: Sequence[int], **options: Any
) -> Network:
    """Build a network with random weights.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    widths : sequence of int
        Pixels a side of each input, widest first, each a half, a quarter, ... of the first.
    channels : sequence of int
        Channels of each input; see `gammafind.networks.features.feature_shapes`.
    **options
        Those of `paper_network` or `gammafind_network`.

    Returns
    -------
    keras.Model
        From a list of arrays (n, width, width, channels) to one array (n, w, w, k), where w is
        the largest width. Its channels are the logit of the score and, of the network
        ``gammafind``, x and y of the source less those of the pixel, and the logarithm of the
        error of each of them (one standard deviation), in pixels.

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    OptionError
        If there is no such network or option, or an option is out of range.
    ShapeError
        If the widths do not fit together.
    """
    check_network(name, NETWORKS, options)
    _check_shapes(widths, channels)
    shapes = {input_name(w): (w, w, n) for w, n in zip(widths, channels, strict=True)}
    inputs, seen = standardised_inputs(shapes)
    ordered = {w: _permuted(x, (3, 1, 2)) for w, x in zip(widths, seen.values(), strict=True)}
    output = NETWORKS[name](ordered, **options)
    return load_keras().Model(list(inputs.values()), output, name=name)


def input_name(width: int) -> str:
    """Name of the input of a width."""
    return f"width_{width}"


def _layout() -> str:
    """Order of the channels of the tensors between the layers, as keras calls it.

    Torch has them before the pixels: between keras layers that have them last, it would copy all
    of them there and back. The other backends have them last. Weights are the same.
    """
    return "channels_first" if load_keras().backend.backend() == "torch" else "channels_last"


def _axis() -> int:
    """Axis of the channels between the layers."""
    return 1 if _layout() == "channels_first" else 3


def _permuted(tensor: Tensor, axes: tuple[int, int, int]) -> Tensor:
    """Bring a tensor whose channels are last into the order between the layers, or back."""
    if _layout() == "channels_last":
        return tensor
    return load_keras().layers.Permute(axes, dtype="float32")(tensor)


def paper_network(
    inputs: Mapping[int, Tensor],
    *,
    filters: Sequence[int] = (16, 32, 64, 128),
    batch_norm: bool = False,
) -> Tensor:
    """Layers of the published network.

    A U-Net in which each input joins at the tier of its width: after the first halving, the
    second, the third. The sigmoid at its end is laid on where scores are used, since losses are
    better computed from logits.

    Parameters
    ----------
    inputs : mapping of int to tensor
        By width.
    filters : sequence of int
        Channels of each tier, widest first; the paper does not state them. There is one halving
        fewer than tiers.
    batch_norm : bool
        Normalise each batch after each convolution.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), figure 2; Ronneberger et al. 2015,
    arXiv:1505.04597.
    """
    x = _u_net(inputs, max(inputs), [], filters, batch_norm)
    return _heads(x, _SCORE, stride=1)


def gammafind_network(
    inputs: Mapping[int, Tensor],
    *,
    filters: Sequence[int] = (24, 48, 64, 96),
    working_width: int = 64,
    batch_norm: bool = False,
) -> Tensor:
    """Layers of the network that works on fewer pixels than it predicts scores for.

    Inputs wider than the working width are taken in by convolutions of as large a stride; the
    output leaves by shuffling channels to pixels. This is three times as fast on a CPU as working
    at the full width.

    Parameters
    ----------
    inputs : mapping of int to tensor
        By width.
    filters : sequence of int
        Channels of each tier, widest first.
    working_width : int
        Pixels a side of the first tier, unless the widest input is narrower.
    batch_norm : bool
        Normalise each batch after each convolution.
    """
    keras = load_keras()
    width = min(working_width, max(inputs))
    taken_in = [
        keras.layers.Conv2D(
            filters[0],
            2 * (w // width),
            strides=w // width,
            padding="same",
            activation="relu",
            data_format=_layout(),
        )(inputs[w])
        for w in inputs
        if w > width
    ]
    within = {w: tensor for w, tensor in inputs.items() if w <= width}
    x = _u_net(within, width, taken_in, filters, batch_norm)
    return _heads(x, _SCORE_OFFSET_ERROR, stride=max(inputs) // width)


NETWORKS: dict[str, Callable[..., Tensor]] = {
    "gammafind": gammafind_network,
    "paper": paper_network,
}
"""Layers of the networks, by name."""


def _u_net(
    inputs: Mapping[int, Tensor],
    width: int,
    taken_in: Sequence[Tensor],
    filters: Sequence[int],
    batch_norm: bool,
) -> Tensor:
    """Tiers of a U-Net from ``width`` down and up again; each input joins at that of its width."""
    layers = load_keras().layers
    tiers = [width // 2**i for i in range(len(filters))]
    _check_tiers(inputs, tiers, width)
    skips: list[Tensor] = []
    for tier, n in zip(tiers, filters, strict=True):
        halved = layers.MaxPooling2D(2, data_format=_layout())
        above = [halved(skips[-1])] if skips else list(taken_in)
        joined = _join([*above, inputs[tier]] if tier in inputs else above)
        skips.append(_convolutions(joined, n, batch_norm))
    x = skips.pop()
    for skip, n in zip(skips[::-1], filters[-2::-1], strict=True):
        doubled = layers.UpSampling2D(2, data_format=_layout())(x)
        x = _convolutions(_join([doubled, skip]), n, batch_norm)
    return x


def _convolutions(x: Tensor, filters: int, batch_norm: bool) -> Tensor:
    """Two convolutions of 3 x 3 pixels."""
    layers = load_keras().layers
    for _ in range(2):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=not batch_norm,
            kernel_initializer="he_normal",
            data_format=_layout(),
        )(x)
        if batch_norm:
            x = layers.BatchNormalization(axis=_axis())(x)
        x = layers.ReLU()(x)
    return x


def _join(tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) == 1:
        return tensors[0]
    return load_keras().layers.Concatenate(axis=_axis())(tensors)


def _heads(x: Tensor, channels: int, *, stride: int) -> Tensor:
    """Output channels; with a stride, each pixel predicts those of stride x stride pixels."""
    keras = load_keras()
    bias = np.tile([_PRIOR_LOGIT] + [0.0] * (channels - 1), stride**2)
    x = keras.layers.Conv2D(
        channels * stride**2,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=lambda shape, dtype=None: keras.ops.convert_to_tensor(bias, dtype),
        data_format=_layout(),
        name="heads",
        dtype="float32",
    )(x)
    x = _permuted(x, (2, 3, 1))
    if stride == 1:
        return x
    width = x.shape[1]
    shapes = [(width, width, stride, stride, channels), (width * stride, width * stride, channels)]
    x = keras.layers.Reshape(shapes[0], dtype="float32")(x)
    x = keras.layers.Permute((1, 3, 2, 4, 5), dtype="float32")(x)
    return keras.layers.Reshape(shapes[1], dtype="float32")(x)


def _check_shapes(widths: Sequence[int], channels: Sequence[int]) -> None:
    widths = list(widths)
    fitting = [widths[0] // 2**i for i in range(widths[0].bit_length())] if widths else []
    halved = all(w in fitting and widths[0] % w == 0 for w in widths)
    if not (widths and halved and widths == sorted(set(widths), reverse=True)):
        raise ShapeError(
            f"the inputs of a network are {widths} pixels wide",
            remedy="Widest first, each must be a half, a quarter, ... of the first.",
        )
    if len(channels) != len(widths) or min(channels) < 1:
        raise ShapeError(f"channels {list(channels)} for inputs {widths} pixels wide")


def _check_tiers(inputs: Mapping[int, Tensor], tiers: Sequence[int], width: int) -> None:
    """Each input needs a tier of its width, and each tier whole pixels."""
    homeless = [w for w in inputs if w not in tiers]
    if not tiers or width % 2 ** (len(tiers) - 1) or homeless:
        raise OptionError(
            f"tiers {list(tiers)} pixels wide for inputs of {sorted(inputs, reverse=True)}",
            remedy="Each of the filters makes a tier half as wide as the one before; change them.",
        )
