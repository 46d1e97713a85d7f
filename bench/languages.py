"""What telling a language costs: CPU per text and memory, `python bench/languages.py`.

Each row is a process of its own: so many languages to choose from, and texts of one length, which are
English, German and Spanish in turn. A text is looked at up to its 500th character.
"""

import resource
import subprocess
import sys
import time

SENTENCES = (
    "The committee will meet again next week to decide about the new bridge. ",
    "Der Ausschuss kommt in der nächsten Woche noch einmal wegen der Brücke zusammen. ",
    "El comité se reunirá de nuevo la próxima semana para decidir sobre el puente. ",
)
SETS = {
    "3": ("de", "en", "es"),
    "14": ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "ru", "tr", "zh"),
    "75": (),
}
LENGTHS = (70, 500, 5000)
TEXTS = 300


def measure(languages: str, length: int) -> str:
    """A line of the table."""
    from lingua import Language

    from pipelines.languages import Detector, Languages

    of = SETS[languages] or tuple(one.iso_code_639_1.name.lower() for one in Language.all())
    detector = Detector(Languages(of=of))
    texts = [f"{place} {SENTENCES[place % 3] * 80}"[:length].strip() for place in range(TEXTS)]
    start = time.process_time()
    for text in texts[:3]:
        detector.language_of(text)
    loading = time.process_time() - start
    start = time.process_time()
    for text in texts:
        detector.language_of(text)
    per_text = (time.process_time() - start) / len(texts)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{languages:>9} {length:>11,} {per_text * 1000:>8.2f} {loading:>10.1f} {memory:>8,.0f}"


def main() -> None:
    """Prints the table."""
    print("languages  characters  CPU, ms  loading, s      MiB")
    for languages in SETS:
        for length in LENGTHS:
            command = [sys.executable, __file__, languages, str(length)]
            print(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout, end=""
            )


if __name__ == "__main__":
    if sys.argv[1:]:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
