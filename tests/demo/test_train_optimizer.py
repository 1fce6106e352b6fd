"""The optimiser of matrices."""

from __future__ import annotations

import torch

from demo.train.optimizer import Muon


def test_matrices_move_as_with_the_library() -> None:
    """The library iterates in bf16: its steps of 0.02 are right to about 1 %."""
    torch.manual_seed(0)
    shapes = ((32, 32), (48, 32), (32, 48), (32, 32))
    start = [torch.randn(shape) for shape in shapes]
    ours, theirs = ([torch.nn.Parameter(x.clone()) for x in start] for _ in range(2))
    mine = Muon(ours, lr=0.02, weight_decay=0.05)
    library = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.05)
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        mine.step()
        library.step()
    for a, b, x in zip(ours, theirs, start, strict=True):
        assert (a - b).norm() < 0.05 * (a - x).norm()


def test_a_saved_state_goes_on_as_if_unbroken() -> None:
    def run(steps: int, optimizer: Muon, matrix: torch.nn.Parameter) -> None:
        for step in range(steps):
            torch.manual_seed(step)
            matrix.grad = torch.randn_like(matrix)
            optimizer.step()

    unbroken, broken = (torch.nn.Parameter(torch.eye(8)) for _ in range(2))
    run(2, Muon([unbroken], lr=0.02, weight_decay=0.0), unbroken)
    first = Muon([broken], lr=0.02, weight_decay=0.0)
    run(1, first, broken)
    second = Muon([broken], lr=0.02, weight_decay=0.0)
    second.load_state_dict(first.state_dict())
    torch.manual_seed(1)
    broken.grad = torch.randn_like(broken)
    second.step()
    assert torch.equal(unbroken, broken)
