"""Contenders for one task, timed in turns in one run, so that what disturbs the machine disturbs all of them."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path


def processor_seconds():
    """Processor time that everything on this machine has used so far; 0 where that cannot be seen."""
    try:
        fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Calls:
    """A function of this process."""

    def __init__(self, call):
        self.call = call

    def own_seconds(self):
        t = os.times()
        return t.user + t.system

    def turn(self, budget):
        """Seconds of a call: the best of five series that fill about `budget` seconds, or of single calls if these are long."""
        clock = time.perf_counter
        begin = clock()
        self.call()
        once = clock() - begin
        if once > budget:
            begin = clock()
            self.call()
            return min(once, clock() - begin)
        repeats, best = max(1, int(budget / 5 / once)), float("inf")
        for _ in range(5):
            self.call()  # the caches hold another's data
            begin = clock()
            for _ in range(repeats):
                self.call()
            best = min(best, (clock() - begin) / repeats)
        return best

    def close(self):
        self.call = None


class Row:
    """A row of the table of one of benchmarks/kernel/*, started for each turn, which takes no time there."""

    def __init__(self, command, fits, prefix=""):
        """`fits`: whether a row is the wanted one; `prefix`: of what it calls `seconds` and `gflops`."""
        self.command, self.fits, self.prefix, self.row, self.peak = command, fits, prefix, None, 0

    def own_seconds(self):
        t = os.times()
        return t.children_user + t.children_system

    def turn(self, budget):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            command = [*self.command, "--seconds", str(budget), "--json", file.name]
            subprocess.run([str(x) for x in command], check=True, stdout=subprocess.DEVNULL)
            head = json.loads(Path(file.name).read_text())
        rows = [row for row in head["attentions"] if self.fits(row)]
        if len(rows) != 1:
            raise LookupError(f"{self.command}: expected one row, found {len(rows)}")
        row = rows[0] | {name: rows[0][self.prefix + name] for name in ("seconds", "gflops")}
        self.peak = max(self.peak, row.get("peak_gflops") or head["peak_f32"])
        if self.row is None or row["seconds"] < self.row["seconds"]:
            self.row = row
        self.row["share_of_peak"] = self.row["gflops"] / self.peak
        return row["seconds"]

    def close(self):
        pass


class Pass:
    """A pass of benchmarks/model/*, whose program stays, because setting weights takes it seconds."""

    def __init__(self, program, name, threads, weights):
        self.name = name
        self.process = subprocess.Popen(
            [str(program), "--turns", "--threads", str(threads), "--weights", weights, "--seconds", "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.turn(0)

    def own_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def turn(self, _budget):
        self.process.stdin.write(self.name + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args[0]} ended")
        return float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def race(contenders, budget, rounds):
    """{name: best seconds}, and the largest share of the processors that others took during a turn that counts.

    A turn during which others worked is a turn lost: there are up to three times as many rounds, until everyone has had
    two undisturbed ones.
    """
    turns = {name: [] for name in contenders}
    for played in range(3 * rounds):
        if played >= rounds and all(sum(others < 0.05 for _, others in x) >= 2 for x in turns.values()):
            break
        for name, contender in contenders.items():
            time.sleep(0.05)  # the threads of the one before stop waiting for work
            begin, all_before, own_before = time.perf_counter(), processor_seconds(), contender.own_seconds()
            seconds = contender.turn(budget)
            wall = time.perf_counter() - begin
            others = processor_seconds() - all_before - (contender.own_seconds() - own_before)
            turns[name].append((seconds, max(0.0, others / (wall * (os.cpu_count() or 1)))))
    best = {name: min(x) for name, x in turns.items()}
    return {name: seconds for name, (seconds, _) in best.items()}, max(others for _, others in best.values())
