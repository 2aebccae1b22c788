"""Masks on spectrograms, for training."""

from jaxtyping import Float
from torch import Tensor, nn

from passband.frequency import mask_along_axis, mask_along_axis_iid
from passband.frequency._masking import require_mask
from passband.frequency._validate import require_positive


class _AxisMasking(nn.Module):
    """A random stretch of one axis masked."""

    def __init__(self, mask_param: int, axis: int, iid_masks: bool, p: float = 1.0) -> None:
        super().__init__()
        self.mask_param, self.axis, self.iid_masks, self.p = mask_param, axis, iid_masks, p

    def forward(
        self,
        specgram: Float[Tensor, "*batch freq frames"],
        mask_value: float | Float[Tensor, ""] = 0.0,
    ) -> Float[Tensor, "*batch freq frames"]:
        """Masked spectrograms; they are masked in evaluation as well as in training."""
        mask = mask_along_axis_iid if self.iid_masks else mask_along_axis
        return mask(specgram, self.mask_param, mask_value, self.axis, self.p)


class FrequencyMasking(_AxisMasking):
    """A random stretch of bins masked.

    Args:
        freq_mask_param: the number of bins masked stays below this; at least 0.
        iid_masks: another mask for each of the batch.

    Raises:
        ValueError: for a negative length.

    Example:
        >>> import torch
        >>> FrequencyMasking(20)(torch.ones(2, 80, 100)).shape
        torch.Size([2, 80, 100])

    Agrees with ``torchaudio.transforms.FrequencyMasking`` for the same seed.
    Reference: Park et al., SpecAugment, Interspeech 2019, section 2.
    """

    def __init__(self, freq_mask_param: int, iid_masks: bool = False) -> None:
        require_mask("freq_mask_param", freq_mask_param, 1.0)
        super().__init__(freq_mask_param, -2, iid_masks)


class TimeMasking(_AxisMasking):
    """A random stretch of frames masked.

    Args:
        time_mask_param: the number of frames masked stays below this; at least 0.
        iid_masks: another mask for each of the batch.
        p: largest part of the frames that may be masked, 0 to 1.

    Raises:
        ValueError: for a negative length or ``p`` out of range.

    Example:
        >>> import torch
        >>> TimeMasking(20, p=0.1)(torch.ones(2, 80, 100)).shape
        torch.Size([2, 80, 100])

    Agrees with ``torchaudio.transforms.TimeMasking`` for the same seed.
    Reference: Park et al. 2019, as for `FrequencyMasking`.
    """

    def __init__(self, time_mask_param: int, iid_masks: bool = False, p: float = 1.0) -> None:
        require_mask("time_mask_param", time_mask_param, p)
        super().__init__(time_mask_param, -1, iid_masks, p)


class SpecAugment(nn.Module):
    """Several random stretches of frames, then of bins, masked.

    Args:
        n_time_masks: masks of frames, at least 0.
        time_mask_param: the frames of each stay below this; at least 0.
        n_freq_masks: masks of bins, at least 0.
        freq_mask_param: the bins of each stay below this; at least 0.
        iid_masks: other masks for each of a batch.
        p: largest part of an axis that one mask may take, 0 to 1.
        zero_masking: write 0 there, else the mean of all the spectrograms given.

    Raises:
        ValueError: for counts or lengths below 0, or ``p`` out of range.

    Example:
        >>> import torch
        >>> SpecAugment(2, 30, 2, 15)(torch.ones(4, 80, 100)).shape
        torch.Size([4, 80, 100])

    Agrees with ``torchaudio.transforms.SpecAugment`` for the same seed.
    Reference: Park et al. 2019, as for `FrequencyMasking`.
    """

    def __init__(
        self,
        n_time_masks: int,
        time_mask_param: int,
        n_freq_masks: int,
        freq_mask_param: int,
        iid_masks: bool = True,
        p: float = 1.0,
        zero_masking: bool = False,
    ) -> None:
        super().__init__()
        for name, count in (("n_time_masks", n_time_masks), ("n_freq_masks", n_freq_masks)):
            if count != 0:
                require_positive(name, count, "Pass 0 for none.")
        require_mask("time_mask_param", time_mask_param, p)
        require_mask("freq_mask_param", freq_mask_param, p)
        self.n_time_masks, self.time_mask_param = n_time_masks, time_mask_param
        self.n_freq_masks, self.freq_mask_param = n_freq_masks, freq_mask_param
        self.iid_masks, self.p, self.zero_masking = iid_masks, p, zero_masking

    def forward(
        self, specgram: Float[Tensor, "*batch freq frames"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """Masked spectrograms; they are masked in evaluation as well as in training."""
        value = 0.0 if self.zero_masking else specgram.mean()
        mask = mask_along_axis_iid if self.iid_masks and specgram.ndim > 2 else mask_along_axis
        for _ in range(self.n_time_masks):
            specgram = mask(specgram, self.time_mask_param, value, -1, self.p)
        for _ in range(self.n_freq_masks):
            specgram = mask(specgram, self.freq_mask_param, value, -2, self.p)
        return specgram
