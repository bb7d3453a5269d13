"""Whether transformers reads the folders that `scenes` writes as we do: usage: compare.py FOLDER

Every tokenizer gives the ids of tokens.jsonl, and every config.json makes a model of the sizes that it says.
"""
import json
import pathlib
import sys

import transformers


def main(folder: pathlib.Path) -> int:
    failures = 0
    tokenizers = {}
    lines = [json.loads(line) for line in (folder / "tokens.jsonl").open()]
    for line in lines:
        model = line["model"]
        if model not in tokenizers:
            tokenizers[model] = transformers.AutoTokenizer.from_pretrained(folder / "models" / model)
        ids = tokenizers[model](line["text"])["input_ids"]
        if ids != line["ids"]:
            failures += 1
            print(f"{model}: {line['text']!r}: transformers gives {ids}, we {line['ids']}")
    print(f"{len(lines)} texts, {failures} with other ids")

    for path in sorted((folder / "models").iterdir()):
        config = transformers.AutoConfig.from_pretrained(path)
        kind = getattr(transformers, config.architectures[0]) if config.architectures else transformers.Blip2VisionModel
        model = kind(config)
        numbers = sum(parameter.numel() for parameter in model.parameters())
        print(f"{path.name}: {type(model).__name__}, {numbers} parameters")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
