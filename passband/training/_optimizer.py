"""torch's Adam, ready at once."""

import inspect

import torch


class Adam(torch.optim.Adam):
    """:class:`torch.optim.Adam` that does not import torch's compiler.

    The methods below only tell the compiler to leave them alone, for which their wrappers import it
    at the first call: 1.4 s at the start of every fit that compiles nothing.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimizer = Adam([weight], lr=0.5, fused=True)
        >>> weight.sum().backward()
        >>> optimizer.step()
        >>> round(weight.item(), 3)
        0.5

    Reference: Kingma, Ba, *Adam: a method for stochastic optimization*, ICLR 2015.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
