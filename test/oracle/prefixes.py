"""Lets peft pass a prefix to BERT and RoBERTa of transformers 5, which renamed the argument that peft looks for."""
import inspect

from transformers import BertModel, RobertaModel


def rename_past_key_values() -> None:
    """peft looks for an argument `past_key_values`, which transformers 5 calls `cache`; nothing to do where it is there."""
    for model_class in (BertModel, RobertaModel):
        forward = model_class.forward
        if "past_key_values" in inspect.signature(forward).parameters:
            continue

        def renamed(self, *args, past_key_values=None, forward=forward, **kwargs):
            return forward(self, *args, cache=past_key_values, **kwargs)

        model_class.forward = renamed
