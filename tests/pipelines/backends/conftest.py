"""What the tests of the vLLM backends share with those of the room that serves them."""

from tests.pipelines.serving.conftest import ended, fake, model_folder

__all__ = ["ended", "fake", "model_folder"]
