from prompts.baselines.lexical import NaiveBayes, majority_class, name_in_text

__all__ = ["NaiveBayes", "majority_class", "name_in_text"]
