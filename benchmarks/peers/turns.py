"""Contenders for one task, timed in turns in one run, so that what disturbs the machine disturbs all of them."""

import functools
import json
import os
import subprocess
import sys
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


def children_seconds():
    """Processor time of programs that were started from here and have ended."""
    t = os.times()
    return t.children_user + t.children_system


def watched(call, own_seconds):
    """What `call` returns, and the share of the processors that others took meanwhile."""
    begin, all_before, own_before = time.perf_counter(), processor_seconds(), own_seconds()
    result = call()
    wall = time.perf_counter() - begin
    others = processor_seconds() - all_before - (own_seconds() - own_before)
    return result, max(0.0, others / (wall * (os.cpu_count() or 1)))


@functools.cache
def is_built(program):
    """Whether one of ours is there; says once that it is not."""
    if not program.is_file():
        print(f"{program}: expected a program built with the preset bench, found none: its cases are left out", file=sys.stderr)
        return False
    return True


def repetitions(command, threads):
    """All repetitions of what a program of benchmarks/ runs, as it tells them."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    words = [str(x) for x in command] + ["--benchmark_format=json"]
    run = subprocess.run(words, check=True, stdout=subprocess.PIPE, env=environment)
    return [row for row in json.loads(run.stdout)["benchmarks"] if row["run_type"] == "iteration"]


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


class Program:
    """A benchmark of one of the programs of benchmarks/, which is started for each turn."""

    def __init__(self, command, threads, pattern="."):
        """`pattern`: of the benchmark's name."""
        self.command, self.threads = [*command, f"--benchmark_filter={pattern}"], threads
        self.row = {"seconds": float("inf")}

    def own_seconds(self):
        return children_seconds()

    def turn(self, budget):
        count = 5 if self.row["seconds"] < budget else 2  # as `Calls` does
        how = [f"--benchmark_repetitions={count}", f"--benchmark_min_time={budget / 5}"]
        rows = repetitions([*self.command, *how], self.threads)
        if len({row["run_name"] for row in rows}) != 1:
            raise LookupError(f"{self.command}: expected one benchmark, found {[row['run_name'] for row in rows]}")
        best = min(rows, key=lambda row: row["real_time"])
        row = {"seconds": 1e-3 * best["real_time"], "gflops": best.get("GF/s"), "share_of_peak": best.get("of peak")}
        self.row = min(self.row, row, key=lambda x: x["seconds"])
        return row["seconds"]

    def close(self):
        pass


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
            turns[name].append(watched(lambda contender=contender: contender.turn(budget), contender.own_seconds))
    best = {name: min(x) for name, x in turns.items()}
    return {name: seconds for name, (seconds, _) in best.items()}, max(others for _, others in best.values())
