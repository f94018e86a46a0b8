"""Training in several processes: what the replicas of Lightning's DDP share, and sharded weights (FSDP2).

Each process takes an equal share of every batch's windows, so the mean of the processes' gradients is the gradient of
the whole batch, and the run is that of one process but for the order of its sums.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher
from torch import Tensor, distributed
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from corpora.errors import UserError


def is_a_helper() -> bool:
    """Whether this process was started by the one that the user started, which speaks for all of them."""
    return os.environ.get("LOCAL_RANK", "0") != "0"


def gathered(value: Tensor) -> Tensor:
    """The scalars of all processes, shape [processes]; every process has to ask."""
    value = value.detach().reshape(1)
    if not distributed.is_initialized():
        return value.clone()
    values = [torch.empty_like(value) for _ in range(distributed.get_world_size())]
    distributed.all_gather(values, value)
    return torch.cat(values)


def own(values: Tensor) -> Tensor:
    """This process's scalar of `gathered` ones; the mean of all if another number of processes gathered them."""
    count, process = (distributed.get_world_size(), distributed.get_rank()) if distributed.is_initialized() else (1, 0)
    return values[process] if len(values) == count else values.mean()


def count_processes(options: Mapping[str, Any]) -> int:
    """How many processes a trainer with these options has in all."""
    devices = options["devices"]
    count = len(devices) if isinstance(devices, list) else int(devices) if str(devices).isdigit() else 0
    if count < 1:
        raise UserError("`--trainer.strategy fsdp` needs the number of processes; give it as `--trainer.devices`.")
    return count * options["num_nodes"]


def refuse_processes(trainer: pl.Trainer, module: Any, data: Any, arguments: list[str]) -> None:
    """UserError if several processes were asked for that would not train as one does; `arguments` are the command's."""
    if trainer.world_size == 1:
        return
    refuse_uneven(data.batch_size, trainer.world_size)
    if isinstance(trainer.strategy, ShardedStrategy) and module.optimizer_options["name"] == "muon":
        raise UserError(
            "Muon needs whole matrices and `--trainer.strategy fsdp` has shards of them; "
            "give `--trainer.strategy ddp` or `--model.optimizer adamw`."
        )
    launcher = trainer.strategy.launcher
    own_command = sys.argv[-len(arguments) :] == arguments  # for that is what the other processes are given
    if launcher is not None and not (isinstance(launcher, _SubprocessScriptLauncher) and own_command):
        raise UserError(
            "several processes are started by the command `kathalab tinymodels fit` with `--trainer.strategy ddp` "
            "or `fsdp`, each with the same options; neither forking nor a call from Python can do it."
        )


def refuse_uneven(batch_size: int, processes: int) -> None:
    """UserError if a batch does not split evenly among the processes."""
    if batch_size % processes:
        raise UserError(
            f"a batch of {batch_size} windows does not split evenly among {processes} processes; "
            "choose another `data.batch_size` or `trainer.devices`."
        )


class ShardedStrategy(ModelParallelStrategy):
    """`--trainer.strategy fsdp`: weights, gradients and AdamW's state in equal shards, one per process (FSDP2).

    Lightning's own FSDPStrategy is of FSDP1, which refuses CPUs ("FSDP needs a non-CPU accelerator device, but no
    accelerator device is detected.") and unpickles the checkpoints it loads. Here a checkpoint is whole, the very file
    that one process writes, so that any number of processes goes on from it.
    """

    def __init__(self, processes: int) -> None:
        super().__init__(data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        assert self.lightning_module is not None
        return _each_tensor(self.lightning_module.state_dict(), _whole)

    def optimizer_state(self, optimizer: Any) -> dict[str, Any]:
        return _each_tensor(optimizer.state_dict(), _whole)

    # Lightning's own would read the file itself and load weights and state in one go, and unpickle it

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        return self.checkpoint_io.load_checkpoint(checkpoint_path)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        assert self.lightning_module is not None
        here = self.lightning_module.state_dict()
        whole = checkpoint["state_dict"]
        self.lightning_module.load_state_dict({name: _like(here[name], value) for name, value in whole.items()}, strict)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            shards = {
                number: _each_tensor(values, lambda value, weight=weights[number]: _like(weight, value))  # type: ignore[misc]
                for number, values in state["state"].items()
            }
            optimizer.load_state_dict({**state, "state": shards})


def shard(module: pl.LightningModule) -> None:
    """Shard a module's weights if the strategy is to; in one unit, for tiny models are gathered in a moment."""
    strategy = module.trainer.strategy
    if isinstance(strategy, ShardedStrategy) and not isinstance(module, FSDPModule):
        fully_shard(module, mesh=strategy.device_mesh["data_parallel"])
        for step in ("training_step", "validation_step"):
            register_fsdp_forward_method(module, step)


@contextmanager
def whole_weights(module: pl.LightningModule) -> Iterator[None]:
    """Within: the module's weights are whole in every process; all have to enter."""
    if not isinstance(module, FSDPModule):
        yield
        return
    module.unshard()
    try:
        yield
    finally:
        module.reshard()


def local(tensor: Tensor) -> Tensor:
    """The part of a tensor that this process holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor().cpu() if isinstance(tensor, DTensor) else tensor


def _like(pattern: Tensor, tensor: Tensor) -> Tensor:
    """A whole tensor in shards as the pattern is; what has another shape (AdamW's count of steps) is no weight's."""
    if isinstance(pattern, DTensor) and pattern.shape == tensor.shape:
        return distribute_tensor(tensor.to(pattern.device), pattern.device_mesh, pattern.placements)
    return tensor


def _each_tensor(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Mapping):
        return {key: _each_tensor(each, change) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_each_tensor(each, change) for each in value)
    return change(value) if isinstance(value, Tensor) else value
