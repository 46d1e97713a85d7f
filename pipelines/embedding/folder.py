"""A folder that holds an embedding model, as sentence-transformers lays it out.

modules.json                 what texts go through: a transformer (or a table), pooling...
1_Pooling/config.json        how the vectors of tokens become that of the text
config_sentence_transformers.json                           what is put before each text
tokenizer.json, tokenizer_config.json, sentence_bert_config.json, config.json
onnx/model.onnx              the transformer, for ONNX Runtime; weights may lie in files beside it
model.safetensors            the table of a StaticEmbedding (or of Model2Vec), for NumPy
"""

import hashlib
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import orjson

from pipelines.embedding.external import locations
from pipelines.engine.checkpoint import sha256_of
from pipelines.errors import RecipeError
from schemas.canonical import canonical_json

POOLINGS = ("mean", "cls", "max", "lasttoken")
FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean",  # another length of the same direction
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""How pooling was told before sentence-transformers 5.4."""

MODULES = ("Transformer", "StaticEmbedding", "Pooling", "Normalize")
"""Those that are known; vectors have one length here anyway."""

UNBOUNDED = 10**6
"""No model reads so many tokens: tokenizers write 1e30 where they know of no bound."""

ANY = 512
"""Tokens that are read where no file says how many."""


@dataclass(frozen=True, slots=True)
class EmbeddingFolder:
    """Where an embedding model lies, and how texts go through it."""

    name: str
    """The folder's name: what figures are called by."""
    tokenizer: Path
    weights: Path
    """An ONNX graph, or safetensors with a vector for each token."""
    pooling: str
    """One of `POOLINGS`."""
    max_tokens: int | None
    """A text is cut behind so many tokens, those that the model adds included; None: it is not."""
    prompt: str
    """Is put before each text."""
    lower_case: bool
    """Whether texts are put into lower case before the tokenizer reads them."""

    @property
    def is_static(self) -> bool:
        """Whether a text is the mean of a table's rows."""
        return self.weights.suffix == ".safetensors"

    def digest(self) -> str:
        """SHA-256 of all that decides vectors, but for the release of ONNX Runtime; 32 digits.

        Raises RecipeError where a file with weights is missing.
        """
        files = (self.tokenizer, self.weights, *self._beside())
        identity = {
            "files": [sha256_of(file) for file in files],
            "pooling": self.pooling,
            "max_tokens": self.max_tokens,
            "prompt": self.prompt,
            "lower_case": self.lower_case,
        }
        return hashlib.sha256(canonical_json(identity)).hexdigest()[:32]

    def _beside(self) -> list[Path]:
        """The files beside a graph that hold its weights: by their usual names, then by others."""
        folder, graph = self.weights.parent, self.weights.name
        usual = sorted(folder.glob(f"{escape(graph)}?*"))  # model.onnx_data
        named = [] if self.is_static else [folder / name for name in locations(self.weights)]
        others = [file for file in named if file not in usual]
        for file in others:
            if not file.is_file():
                raise RecipeError(f"{folder / graph} keeps weights in {file}, which is not there")
        return [*usual, *others]


def find_folder(given: str, root: Path) -> EmbeddingFolder:
    """The model in the folder `given`, or of that ONNX file in one, relative to `root`.

    Raises RecipeError where a file is missing, or where texts go through what is not known here.
    """
    path = root / given
    graph = path if path.suffix == ".onnx" and path.is_file() else None
    folder = _around(graph) if graph else path
    if not folder.is_dir():
        wanted = "file" if path.suffix == ".onnx" else "folder"
        raise RecipeError(f"no such {wanted}: {given} (tried {path.absolute()})")
    modules = _modules(folder)
    base = folder / modules.get("Transformer", modules.get("StaticEmbedding", ""))
    static = graph is None and "StaticEmbedding" in modules
    prompt = _prompt(folder / "config_sentence_transformers.json")
    found = EmbeddingFolder(
        name=folder.absolute().name,
        tokenizer=base / "tokenizer.json",
        weights=base / "model.safetensors" if static else graph or _graph(base),
        pooling=_pooling(folder / modules.get("Pooling", "1_Pooling") / "config.json", prompt),
        max_tokens=None if static else _max_tokens(base),
        prompt=prompt,
        lower_case=bool(_json(base / "sentence_bert_config.json").get("do_lower_case")),
    )
    for file in (found.tokenizer, found.weights):
        if not file.is_file():
            raise RecipeError(f"{base.absolute()} holds no {file.name}")
    return found


def _around(graph: Path) -> Path:
    """The folder of the model that has this ONNX file."""
    above = graph.parent
    return above if (above / "tokenizer.json").is_file() else above.parent


def _modules(folder: Path) -> dict[str, str]:
    """Module -> the folder of its files, where `modules.json` says so."""
    file = folder / "modules.json"
    found = {}
    for entry in _json(file, list):
        match entry:
            case {"type": str(kind), **rest} if isinstance(path := rest.get("path", ""), str):
                found[kind.rpartition(".")[2]] = path
            case _:
                raise RecipeError(f"{file}: a module has no type, or a path that is no text")
    odd = next((name for name in found if name not in MODULES), None)
    if odd:
        raise RecipeError(
            f"{file}: texts go through a module {odd}, which is not known here. "
            f"Known are {', '.join(MODULES)}"
        )
    return found


def _prompt(file: Path) -> str:
    """What is put before each text; "" where no file tells."""
    settings = _json(file)
    prompts, name = settings.get("prompts") or {}, settings.get("default_prompt_name")
    known = isinstance(prompts, dict) and isinstance(name, str | None)
    prompt = prompts.get(name, "") if known else None
    if not isinstance(prompt, str):
        raise RecipeError(f"{file}: prompts: the default one is no text")
    return prompt


def _graph(base: Path) -> Path:
    """The one ONNX file, or of several the one with the usual name."""
    found = [*sorted(base.glob("*.onnx")), *sorted(base.glob("onnx/*.onnx"))]
    usual = [file for file in found if file.name == "model.onnx"]
    if len(found) > 1 and len(usual) != 1:
        names = ", ".join(str(file.relative_to(base)) for file in found)
        raise RecipeError(f"{base.absolute()} holds several models; name the file of one: {names}")
    if not found:
        raise RecipeError(
            f"{base.absolute()} holds no onnx/model.onnx. Where its source has none either, "
            'SentenceTransformer(FOLDER, backend="onnx").save_pretrained(FOLDER) makes one'
        )
    return (usual or found)[0]


def _pooling(file: Path, prompt: str) -> str:
    """The mode; the mean where no file tells one, as in sentence-transformers."""
    config = _json(file)
    if prompt and not config.get("include_prompt", True):
        raise RecipeError(f"{file}: include_prompt: prompts that are not pooled are not known here")
    told = config.get("pooling_mode") or [mode for flag, mode in FLAGS.items() if config.get(flag)]
    modes = list(map(str, told if isinstance(told, list) else [told])) or ["mean"]
    if len(modes) > 1 or modes[0] not in POOLINGS:
        raise RecipeError(f"{file}: pooling is {' and '.join(modes)}; known: {', '.join(POOLINGS)}")
    return modes[0]


def _max_tokens(base: Path) -> int:
    """Tokens that a text may have: as it was trained, and no more than there are positions."""
    stated = _bound(_json(base / "sentence_bert_config.json").get("max_seq_length"))
    tokenizer = _bound(_json(base / "tokenizer_config.json").get("model_max_length"))
    positions = _bound(_json(base / "config.json").get("max_position_embeddings"))
    bounds = (stated or tokenizer, positions)
    return min((bound for bound in bounds if bound), default=ANY)


def _bound(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and 0 < value < UNBOUNDED else None


def _json(file: Path, wanted: type = dict) -> Any:
    """What a file of the folder says; nothing where it is missing. Raises RecipeError."""
    if not file.is_file():
        return wanted()
    try:
        content = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise RecipeError(f"{file}: not JSON: {error}") from error
    if not isinstance(content, wanted):
        raise RecipeError(f"{file}: a JSON {'object' if wanted is dict else 'array'} is wanted")
    return content
