"""Tokenizers: what benchmarks/text/tokenizer times, beside the libraries `tokenizers` and `sentencepiece`; one thread, in turns.

    python tokenizer.py --programs build/bench/benchmarks --work DIR [--from FOLDER...] [--only TEXT] [--markdown FILE]

Vocabularies of real sizes are made once, in DIR, from the text files of some folders: a byte-level BPE of 50,265 pieces (OPT's
size) and a unigram model of 32,000 pieces and 100 sentinels (T5's). One file of sixteen is kept apart, to be encoded.
`tokenizers` may skip what it makes beside ids (`encode_batch_fast`), and all lines are given to a library in one call.
"""

import argparse
import gzip
import itertools
import os
import random
import sys
from pathlib import Path

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import sentencepiece  # noqa: E402
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers  # noqa: E402
from turns import Calls, Program, race  # noqa: E402

BPE_PIECES, UNIGRAM_PIECES, SENTINELS = 50265, 32000, 100
CORPUS, SAMPLE = 60_000_000, 2_000_000  # bytes
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def texts(folders):
    """The text files below some folders, shuffled."""
    files = sorted(x for folder in folders for x in Path(folder).rglob("*") if x.is_file() and not x.is_symlink())
    random.Random(1).shuffle(files)
    for path in files:
        try:
            text = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read(200_000).decode()
        except (OSError, EOFError, UnicodeDecodeError):
            continue
        if "\0" not in text and "\r" not in text:
            yield text


def collect(folders, work):
    sizes, limits = {"corpus": 0, "sample": 0}, {"corpus": CORPUS, "sample": SAMPLE}
    with open(work / "corpus.txt", "w", newline="") as corpus, open(work / "sample.txt", "w", newline="") as sample:
        files = {"corpus": corpus, "sample": sample}
        for number, text in enumerate(texts(folders)):
            kind = "sample" if number % 16 == 0 else "corpus"
            if sizes[kind] < limits[kind]:
                files[kind].write(text.rstrip("\n") + "\n")
                sizes[kind] += len(text.encode())
    if min(sizes.values()) < 100_000:
        sys.exit(f"too little text in {', '.join(map(str, folders))}: {sizes}")


def fields(message):
    """(field, value) of a protocol buffer."""

    def varint():
        value = 0
        for shift in itertools.count(0, 7):
            byte = next(rest)
            value |= (byte & 127) << shift
            if byte < 128:
                return value

    rest = iter(message)
    while (byte := next(rest, None)) is not None:
        rest = itertools.chain([byte], rest)
        key = varint()
        size = {0: 0, 1: 8, 5: 4}.get(key & 7)
        yield key >> 3, varint() if size == 0 else bytes(itertools.islice(rest, varint() if size is None else size))


def unigram_json(model):
    """A spiece.model as T5's tokenizer.json."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]
    pieces += [(f"<extra_id_{i}>", 0.0) for i in reversed(range(SENTINELS))]
    normalizer = next(value for field, value in fields(model.read_bytes()) if field == 3)
    tokenizer = Tokenizer(models.Unigram(pieces, processor.unk_id(), False))
    tokenizer.normalizer = normalizers.Precompiled(dict(fields(normalizer))[2])
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


def make(work):
    """Folders as checkpoints have them: the files of the first releases, and tokenizer.json."""
    for name in ("bpe", "bpe_json", "unigram", "unigram_json"):
        (work / name).mkdir(exist_ok=True)
    if not (work / "bpe_json" / "tokenizer.json").exists():
        bpe = Tokenizer(models.BPE())
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=BPE_PIECES, special_tokens=SPECIAL, initial_alphabet=alphabet)
        bpe.train([str(work / "corpus.txt")], trainer)
        bpe.model.save(str(work / "bpe"))
        bpe.save(str(work / "bpe_json" / "tokenizer.json"))
    model = work / "unigram" / "spiece.model"
    if not model.exists():
        sentencepiece.SentencePieceTrainer.train(
            input=str(work / "corpus.txt"), model_prefix=str(model.with_suffix("")), vocab_size=UNIGRAM_PIECES,
            model_type="unigram", normalization_rule_name="nmt_nfkc", input_sentence_size=400_000,
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2)  # fmt: skip
    unigram_json(model).save(str(work / "unigram_json" / "tokenizer.json"))


def cases(work, program):
    """(name, {contender: how to run it}); what encodes is timed over the lines and over all as one text."""
    text = open(work / "sample.txt", encoding="utf-8", newline="").read()
    lines = text.removesuffix("\n").split("\n")
    yield "text", len(text.encode())

    def ours(folder, task):
        return Program([program, work / folder, work / "sample.txt"], 1, f"^{task}/")

    bpe, unigram = (Tokenizer.from_file(str(work / name / "tokenizer.json")) for name in ("bpe_json", "unigram_json"))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(work / "unigram" / "spiece.model"))

    def from_files():
        models.BPE.from_file(str(work / "bpe" / "vocab.json"), str(work / "bpe" / "merges.txt"))

    def from_json(folder):
        return Calls(lambda: Tokenizer.from_file(str(work / folder / "tokenizer.json")))

    def from_model():
        sentencepiece.SentencePieceProcessor(model_file=str(work / "unigram" / "spiece.model"))

    def of(tokenizer, parts):
        return Calls(lambda: tokenizer.encode_batch_fast(parts))

    yield "BPE, read vocab.json and merges.txt", {"ours": ours("bpe", "read"), "tokenizers": Calls(from_files)}
    yield "BPE, read tokenizer.json", {"ours": ours("bpe_json", "read"), "tokenizers": from_json("bpe_json")}
    yield "BPE, lines", {"ours": ours("bpe_json", "lines"), "tokenizers": of(bpe, lines)}
    yield "BPE, one text", {"ours": ours("bpe_json", "text"), "tokenizers": of(bpe, [text])}
    yield "unigram, read spiece.model", {"ours": ours("unigram", "read"), "sentencepiece": Calls(from_model)}
    yield "unigram, read tokenizer.json", {"ours": ours("unigram_json", "read"), "tokenizers": from_json("unigram_json")}
    for task, parts in ("lines", lines), ("text", [text]):
        yield f"unigram, {'one ' if task == 'text' else ''}{task}", {
            "ours": ours("unigram", task),
            "tokenizers": of(unigram, parts),
            "sentencepiece": Calls(lambda parts=parts: pieces.encode(parts, num_threads=1)),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=Path, default=Path("build/bench/benchmarks"))
    parser.add_argument("--work", type=Path, required=True)
    default = ["/usr/share/doc", "/usr/share/man", "/usr/share/perl", "/usr/include", "/usr/lib/python3"]
    parser.add_argument("--from", dest="folders", nargs="+", default=default)
    parser.add_argument("--only", default="", help="what a case's name must contain")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not (options.work / "sample.txt").exists():
        collect(options.folders, options.work)
    make(options.work)

    rows = cases(options.work, options.programs / "text/tokenizer")
    _, size = next(rows)
    peers = ("tokenizers", "sentencepiece")
    table = [f"| one thread | ours | {' | '.join(peers)} | : best |", "|" + "---|" * (len(peers) + 3)]
    for name, contenders in rows:
        if options.only not in name:
            continue
        best, others = race(contenders, 0.5, options.rounds)

        def shown(who):
            if who not in best:
                return ""
            return f"{best[who] * 1e3:.1f} ms" if "read" in name else f"{size / best[who] * 1e-6:.1f} MB/s"

        ratio = min(seconds for who, seconds in best.items() if who != "ours") / best["ours"]
        disturbed = " (disturbed)" if others >= 0.05 else ""
        table.append(f"| {name}{disturbed} | {' | '.join(shown(who) for who in ('ours', *peers))} | {ratio:.2f} |")
        print(table[-1], file=sys.stderr)
    text = "\n".join(table) + "\n"
    options.markdown.write_text(text) if options.markdown else print(text, end="")


if __name__ == "__main__":
    main()
