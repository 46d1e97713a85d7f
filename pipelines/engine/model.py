"""A model: a checkpoint's folder, loaded and ready to run."""

from dataclasses import dataclass
from weakref import WeakValueDictionary

from pipelines.engine.blas import compute_alone
from pipelines.engine.checkpoint import Checkpoint
from pipelines.engine.llama import Llama
from pipelines.engine.vocabulary import Vocabulary
from pipelines.engine.weights import read_weights
from pipelines.errors import RecipeError
from pipelines.exporting.chat import read_chat


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Model:
    """Weights, words, and the tokens that end an answer."""

    llama: Llama
    vocabulary: Vocabulary
    ends: tuple[int, ...]

    @property
    def context(self) -> int:
        """Most tokens of prompt and answer together."""
        return self.llama.shape.context


_LOADED: WeakValueDictionary[str, Model] = WeakValueDictionary()
"""Models in use, by digest: several tables of a recipe that name one model share its memory."""


def load_model(checkpoint: Checkpoint) -> Model:
    """The model of a checkpoint. Raises RecipeError where it cannot be read, or is no Llama."""
    digest = checkpoint.digest()
    model = _LOADED.get(digest)
    if model is None:
        model = _LOADED[digest] = _read(checkpoint)
    return model


def _read(checkpoint: Checkpoint) -> Model:
    compute_alone()
    shape = checkpoint.shape()
    vocabulary = Vocabulary(read_chat(checkpoint.folder))
    try:
        llama = Llama(shape, read_weights(checkpoint.weights(), shape))
        if vocabulary.size > shape.vocabulary:
            raise RecipeError(f"{vocabulary.size} tokens, and weights for {shape.vocabulary}")
    except RecipeError as error:
        raise RecipeError(f"{checkpoint.folder}: {error}") from error
    return Model(llama, vocabulary, _ends(checkpoint))


def _ends(checkpoint: Checkpoint) -> tuple[int, ...]:
    """The tokens that end an answer, from the first file that names any."""
    for name in ("generation_config.json", "config.json"):
        stated = checkpoint.read(name).get("eos_token_id")
        if stated is not None:
            return tuple(stated) if isinstance(stated, list) else (stated,)
    return ()
