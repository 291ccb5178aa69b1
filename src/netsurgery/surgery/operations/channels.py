"""More or fewer channels of convolutions (ECToNAS section 3.2, A.2)."""

from __future__ import annotations

from netsurgery.networks.layers import Convolution
from netsurgery.surgery.operations.widths import Narrowing, Widening
from netsurgery.surgery.sizes import MutationSizes


class AddChannels(Widening):
    """Net2WiderNet (eq. 4, 5): copies of drawn channels; exact except before a softmax."""

    name = "add_channels"
    label = "+ channels"
    kind = Convolution
    kind_name = "convolution"

    def changed_width(self, width: int, sizes: MutationSizes) -> int:
        return sizes.wider(width, sizes.channels_change)


class RemoveChannels(Narrowing):
    """The channels of largest |gamma|, or those that least squares keeps; approximate."""

    name = "remove_channels"
    label = "− channels"  # noqa: RUF001 - a minus sign
    kind = Convolution
    kind_name = "convolution"

    def changed_width(self, width: int, sizes: MutationSizes) -> int:
        return sizes.narrower(width, sizes.channels_change)
