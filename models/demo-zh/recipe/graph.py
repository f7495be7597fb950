"""Lexicon and language model -> the decoding graph that libvosk composes while it runs (so run-time grammars work).

HCLr.fst holds sounds and words (olabel_lookahead), Gr.fst the language model, words.txt the words' numbers as the
look-ahead wants them, disambig_tid.int what keeps homophones apart. kaldifst determinises; the two files' own formats
come from OpenFst's `fstconvert` (Debian: libfst-tools), which may stand on the PATH or in a folder unpacked beside it.
"""

import collections
import math
import os
import shutil
import subprocess
from pathlib import Path

import kaldifst as fst
from phones import PHONE_ID, PHONES, forward, self_loop, word_phones

STAY = 0.15  # probability of a sound's self-loop in the graph: beside the network's own view
HALF = -math.log(0.5)  # a pause after a word, or none


def converter(folder=None):
    """(fstconvert, environment in which it finds its look-ahead type)."""
    root = Path(folder) if folder else None
    program = str(root / "usr/bin/fstconvert") if root else shutil.which("fstconvert")
    if not program or not Path(program).exists():
        raise SystemExit("fstconvert is missing: apt-get install libfst-tools, or --openfst FOLDER with it unpacked")
    usr = Path(program).resolve().parents[1]
    patterns = ("lib/*/fst/*/olabel_lookahead-fst.so", "lib/*/libfst.so.*")
    places = [str(found.parent) for pattern in patterns for found in usr.glob(pattern)]
    paths = [*dict.fromkeys(places), os.environ.get("LD_LIBRARY_PATH", "")]
    return program, dict(os.environ, LD_LIBRARY_PATH=":".join(filter(None, paths)))


def _arc(graph, start, label_in, label_out, cost, end):
    graph.add_arc(start, fst.StdArc(label_in, label_out, fst.TropicalWeight(cost), end))


def _arcs(graph, state):
    return [(a.ilabel, a.olabel, float(a.weight.value), a.nextstate) for a in fst.ArcIterator(graph, state)]


def lexicon_transducer(lexicon, numbers):
    """Phones to words, a pause after each or not. Homophones, and beginnings of others, end in a mark of their own."""
    entries = [
        (word, word_phones(sounds), -math.log(share)) for word, said in lexicon.items() for sounds, share in said
    ]
    same = collections.Counter(phones for _, phones, _ in entries)
    beginnings = {phones[:n] for phones in same for n in range(1, len(phones))}
    graph = fst.StdVectorFst()
    start, loop, pause, after = (graph.add_state() for _ in range(4))
    graph.start = start
    _arc(graph, start, 0, 0, HALF, loop)
    _arc(graph, start, 0, 0, HALF, pause)
    used = collections.Counter()
    marks = len(PHONES)
    for word, phones, cost in entries:
        path = list(phones)
        if same[phones] > 1 or phones in beginnings:
            used[phones] += 1
            path.append(marks + used[phones])
        at = loop
        for n, phone in enumerate(path):
            said = numbers[word] if n == 0 else 0
            price = cost if n == 0 else 0.0
            if n == len(path) - 1:
                _arc(graph, at, phone, said, price + HALF, loop)
                _arc(graph, at, phone, said, price + HALF, pause)
            else:
                following = graph.add_state()
                _arc(graph, at, phone, said, price, following)
                at = following
    _arc(graph, pause, PHONE_ID["SIL"], 0, 0.0, after)
    _arc(graph, after, marks + max(used.values()) + 1, 0, 0.0, loop)
    graph.set_final(loop, fst.TropicalWeight(0.0))
    fst.arcsort(graph, "olabel")
    fst.determinize_star(graph, use_log=True)
    return graph


def with_transitions(lexicon_graph, stay):
    """(graph over transition ids, the ids that stand for the homophones' marks)."""
    graph, entered, marks, phones = fst.StdVectorFst(), {}, set(), len(PHONES)
    go_cost, stay_cost = -math.log(1 - stay), -math.log(stay)
    for _ in range(lexicon_graph.num_states):
        graph.add_state()
    graph.start = lexicon_graph.start
    for state in range(lexicon_graph.num_states):
        final = float(lexicon_graph.final(state).value)
        if math.isfinite(final) and final < 1e30:
            graph.set_final(state, fst.TropicalWeight(final))
        for phone, word, cost, end in _arcs(lexicon_graph, state):
            if phone == 0:
                _arc(graph, state, 0, word, cost, end)
            elif phone > phones:
                mark = 2 * phones + phone - phones
                marks.add(mark)
                _arc(graph, state, mark, word, cost, end)
            else:
                if (end, phone) not in entered:
                    inside = entered[end, phone] = graph.add_state()
                    _arc(graph, inside, self_loop(phone), 0, stay_cost, inside)
                    _arc(graph, inside, 0, 0, 0.0, end)
                _arc(graph, state, forward(phone), word, cost + go_cost, entered[end, phone])
    fst.arcsort(graph, "olabel")
    return graph, sorted(marks)


def language_acceptor(arcs, endings, start, numbers):
    graph, states = fst.StdVectorFst(), {}

    def state(history):
        if history not in states:
            states[history] = graph.add_state()
        return states[history]

    graph.start = state(start)
    for history, word, cost, end in arcs:
        label = 0 if word is None else numbers[word]
        _arc(graph, state(history), label, label, cost, state(end))
    for history, cost in endings.items():
        graph.set_final(state(history), fst.TropicalWeight(cost))
    fst.arcsort(graph, "ilabel")
    return graph


def _renumbered(words, pairs):
    """Word numbers as the look-ahead wants them; words that it does not know come after."""
    new = {word: pairs[number] for word, number in words.items() if number in pairs}
    following = max(pairs.values(), default=0)
    for word in words:
        if word not in new:
            following += 1
            new[word] = following
    return new


def write(folder, lexicon, language, *, stay=STAY, openfst=None):
    """Write `folder` (a model's graph/); `language` is what language_model.arcs gave."""
    program, environment = converter(openfst)
    (folder / "phones").mkdir(parents=True, exist_ok=True)
    numbers = {word: number for number, word in enumerate([*sorted(lexicon), "#0", "<s>", "</s>"], 1)}
    sounds, marks = with_transitions(lexicon_transducer(lexicon, numbers), stay)
    plain, pairs_file = folder / "plain.tmp", folder / "pairs.tmp"
    sounds.write(str(plain))
    relabel = f"--save_relabel_opairs={pairs_file}"
    look = [program, "--fst_type=olabel_lookahead", relabel, str(plain), str(folder / "HCLr.fst")]
    subprocess.run(look, check=True, env=environment)  # noqa: S603 - our own files
    pairs = {int(old): int(new) for old, new in (line.split() for line in pairs_file.read_text().splitlines())}
    words = _renumbered(numbers, pairs)
    language_acceptor(*language, words).write(str(plain))
    subprocess.run([program, "--fst_type=const", str(plain), str(folder / "Gr.fst")], check=True, env=environment)  # noqa: S603
    plain.unlink()
    pairs_file.unlink()
    _write_tables(folder, words, marks)


def _write_tables(folder, words, marks):
    places = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}
    kinds = ["nonword" if name.startswith("SIL") else places[name[-1]] for name in PHONES]
    by_number = sorted([("<eps>", 0), *words.items()], key=lambda one: one[1])
    tables = {
        "words.txt": [f"{word} {number}" for word, number in by_number],
        "phones.txt": ["<eps> 0", *(f"{name} {number}" for name, number in PHONE_ID.items())],
        "disambig_tid.int": [str(mark) for mark in marks],
        "phones/word_boundary.int": [f"{number} {kind}" for number, kind in enumerate(kinds, 1)],
    }
    for name, lines in tables.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
