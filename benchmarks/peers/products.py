"""Matrix products: what benchmarks/kernel/matmul times, which hold Eigen, OpenBLAS and oneDNN themselves."""

import dataclasses
import subprocess

from turns import children_seconds, is_built, repetitions, watched

PEERS = ("Eigen", "OpenBLAS", "oneDNN")
PROGRAMS = {"kernel/matmul/matmul": ("f32", "bf16 weights", "bf16"), "kernel/matmul/backward": ("dx f32", "dx bf16 weights", "dw")}


@dataclasses.dataclass(frozen=True)
class Product:
    name: str
    program: str
    kind = "product"

    def path(self, programs):
        return programs / self.program

    def run(self, programs, threads):
        """What the table shows of each of our ways of computing it, all timed in one run of the program."""
        pattern = "^" + self.name.replace(".", "[.]") + "/"
        command = [self.path(programs), f"--benchmark_filter={pattern}"]
        rows, disturbed = watched(lambda: repetitions(command, threads), children_seconds)
        best = {}  # {contender: its fastest repetition}
        for row in rows:
            way = row["run_name"].split("/")[2]
            best[way] = min(row, best.get(way, row), key=lambda x: x["real_time"])
        for way in PROGRAMS[self.program]:
            if way in best:  # bf16 activations only where the processor has products of them
                yield self.entry(way, best, disturbed)

    def entry(self, way, best, disturbed):
        task = way.split()[0] if way.startswith("d") else ""
        seconds = 1e-3 * best[way]["real_time"]
        peers = {}
        for peer in PEERS:
            name = f"{task} {peer}{' bf16' if way == 'bf16' else ''}".strip()
            times = [
                1e-3 * row["real_time"]
                for other, row in best.items()
                if other.startswith(name) and (way == "bf16" or "bf16" not in other)
            ]
            if times and "bf16 weights" not in way:  # theirs multiply numbers of one type
                peers[peer] = {"seconds": min(times), "ratio": min(times) / seconds}
        row = best[way]
        return {
            "kind": self.kind,
            "name": self.name,
            "weights": way,
            "bars": {"|".join(peers): 1.0} if peers else {},
            "peers": peers,
            "missing": {},
            "seconds": seconds,
            "disturbed": disturbed,
            "row": {"gflops": row["GF/s"], "share_of_peak": row.get("of limit", row["of peak"])},
        }


def cases(programs):
    """Those that the programs name, which have to be built for that."""
    for program in PROGRAMS:
        if not is_built(programs / program):
            continue
        listed = subprocess.run([programs / program, "--benchmark_list_tests"], check=True, capture_output=True, text=True)
        for name in dict.fromkeys(line.split("/")[0] for line in listed.stdout.splitlines()):
            yield Product(name, program)
