"""Make the demo model: sentences -> speech with labels -> network -> graph -> error rates.

    python build.py WORK [--to FOLDER] [--graph-only] [--smoke] [--openfst FOLDER]

WORK keeps what was made, so that a build that was stopped goes on where it was. FOLDER (default: WORK/model) gets am/,
conf/ and graph/; nothing else there is touched. `--graph-only` keeps the network that models/demo-zh/am holds and makes
the words and the language model anew. `--smoke` goes through every step with a few sentences: it shows that the recipe
runs, the model is worth nothing. README.md says what each step costs.
"""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

import general_text
import graph
import held_out
import jieba
import language_model
import lexicon
import measure
import sentences
import synthesise
from voice import Voice

DEMO = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    spoken_hotline: int  # sentences that the voice reads
    spoken_general: int
    width: int  # units of a layer
    passes: int
    written_hotline: int  # sentences that the language model is counted from
    written_general: int | None  # clauses; None: all
    read_hotline: int  # of them, those whose readings are counted
    read_general: int
    general_words: int


FULL = Sizes(
    spoken_hotline=2600, spoken_general=2400, width=320, passes=6, written_hotline=60_000, written_general=None,
    read_hotline=9000, read_general=8900, general_words=6000,
)  # fmt: skip
SMOKE = Sizes(
    spoken_hotline=12, spoken_general=12, width=32, passes=1, written_hotline=400, written_general=600,
    read_hotline=200, read_general=200, general_words=300,
)  # fmt: skip
GENERAL_WEIGHT = 0.3  # of the general text in the language model
LEAST_COUNTS = [(2, 3), (3, 6)]  # bigrams, trigrams: hotline, general
SEEDS = {"spoken": 1, "written": 77}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--to", type=Path, help="the model's folder; default: WORK/model")
    parser.add_argument("--graph-only", action="store_true", help="keep the network of models/demo-zh")
    parser.add_argument("--smoke", action="store_true", help="every step, with a few sentences")
    parser.add_argument("--openfst", type=Path, help="folder in which Debian's libfst-tools was unpacked")
    given = parser.parse_args()
    jieba.setLogLevel("WARNING")
    sizes, target = SMOKE if given.smoke else FULL, given.to or given.work / "model"
    graph.converter(given.openfst)  # missing: better said now than after the training
    voice, apart = Voice(given.work), held_out.HeldOut()
    (target / "am").mkdir(parents=True, exist_ok=True)
    if given.graph_only:
        if target.resolve() != DEMO:
            shutil.copy(DEMO / "am" / "final.mdl", target / "am" / "final.mdl")
    else:
        acoustics(given.work, target / "am" / "final.mdl", voice, apart, sizes)
    if target.resolve() != DEMO:
        shutil.copytree(DEMO / "conf", target / "conf", dirs_exist_ok=True)
    words_and_language(target / "graph", voice, apart, sizes, given.openfst)
    figures = measure.measured(target, voice, given.work / "held_out", few=given.smoke)
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    (given.work / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


def acoustics(work, target, voice, apart, sizes):
    """Speech, then the network. A finished network in WORK is taken as it is."""
    import kaldi_model
    import network
    import train

    hotline = apart.without(sentences.draw(sizes.spoken_hotline, SEEDS["spoken"]))
    general = apart.without(general_text.utterances(sizes.spoken_general, SEEDS["spoken"]))
    speech, trained = work / "speech", work / "network.pt"
    for name, utterances in (("hotline", hotline), ("general", general)):
        synthesise.synthesise(voice, utterances, name, speech, SEEDS["spoken"])
    if not trained.exists():
        partial = trained.with_suffix(".partial.pt")
        train.train(lambda: synthesise.read(speech), partial, width=sizes.width, passes=sizes.passes)
        partial.rename(trained)
    kaldi_model.write(target, *network.load(trained))


def words_and_language(folder, voice, apart, sizes, openfst):
    """The graph. No held-out sentence is in the text: what `held_out.py` finds is left out, and looked for again."""
    drawn = apart.without(sentences.draw(sizes.written_hotline, SEEDS["written"]))
    clauses = apart.without([[clause] for clause in general_text.clauses()[: sizes.written_general]])
    leaks = [found for found in map(apart.found_in, [*drawn, *clauses]) if found]
    if leaks:
        raise SystemExit(f"{len(leaks)} held-out sentence(s) in the training text, first: {leaks[0]}")
    hotline = [[lexicon.segmented(clause) for clause in one] for one in drawn]
    general = [lexicon.segmented(clause) for [clause] in clauses]
    readings = lexicon.Readings(voice)
    every = max(1, len(general) // sizes.read_general)
    for words in [*(words for one in hotline[: sizes.read_hotline] for words in one), *general[::every]]:
        readings.count(words)
    said = readings.lexicon(lexicon.vocabulary(hotline, general, general_words=sizes.general_words))
    known = set(said)
    ours = language_model.Text([[word for words in one for word in words] for one in hotline], known)
    theirs = language_model.Text(general, known)
    mixed = language_model.Mixture([(ours, 1 - GENERAL_WEIGHT), (theirs, GENERAL_WEIGHT)], LEAST_COUNTS)
    graph.write(folder, said, language_model.arcs(mixed, known), openfst=openfst)
    print(f"graph: {len(said)} words", flush=True)


if __name__ == "__main__":
    main()
