"""Soft prompts: trainable vectors in a frozen model's input, their start, their files, and classifying with them."""

from prompts.soft.initialisation import deepened, initialise
from prompts.soft.layout import PLACES, Layout, Place
from prompts.soft.prompt import DeepPrompt, ReparameterisedPrompt, ShallowPrompt, SoftPrompt

__all__ = [
    "PLACES",
    "DeepPrompt",
    "Layout",
    "Place",
    "ReparameterisedPrompt",
    "ShallowPrompt",
    "SoftPrompt",
    "deepened",
    "initialise",
]
