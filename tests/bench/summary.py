"""The short table of the README, and the whole one beside the programs.

Why: who reads the README wants to know in one look who is ahead, by how much,
and when that was measured. Not here: the whole table (table.py).
"""

import json
import os

import install
import table

BEGIN, END = "<!-- bench: written by tests/bench/run --readme -->\n", "<!-- end of bench -->\n"
# A column for each peer; of several that share one, the first that does the job.
COLUMNS = {
    "s5cmd": ["s5cmd"],
    "rclone": ["rclone", "rclone crypt"],
    "aws cli": ["aws cli", "age | aws cli", "aws s3api in a loop"],
    "aws cli, CRT": ["aws cli, CRT"],
    "aws-encryption-cli": ["aws-encryption-cli, 64 KiB", "aws-encryption-cli"],
    "bare SDK": ["sdk loop", "boto3 in 32 threads"],
}


def write(facts, groups):
    """Writes the README's section, and bench.md and bench.json beside this file."""
    with open(os.path.join(install.HERE, "bench.md"), "w") as file:
        file.write(table.markdown(facts, groups))
    with open(os.path.join(install.HERE, "bench.json"), "w") as file:
        json.dump({"facts": facts, "groups": groups}, file, indent=1)
        file.write("\n")
    path = os.path.join(install.ROOT, "README.md")
    with open(path) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(before + BEGIN + section(facts, groups) + END + after)


def section(facts, groups):
    """What stands between the marks."""
    lines = [
        "%s · `%s` · %s, client and server on it · %s · %s" % (
            facts["date"], facts["command"], facts["machine"], _size(facts["size_mib"]),
            ", ".join(_version(*pair) for pair in facts["versions"].items())), "",
        "| | s3seal | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 2) + "|",
    ]
    for group in groups:
        counts = group.get("counts", {})
        for job, by_tool in group["jobs"].items():
            for own in ("s3seal", "s3seal esdk"):
                if own in by_tool:
                    lines.append(_row(job, own, by_tool, counts))
    return "\n".join(lines) + "\n\n"


def _version(tool, said):
    word = said.removeprefix(tool).split()[0]
    return word if "/" in word else "%s %s" % (tool, word)


def _size(mib):
    return "objects of %g GiB" % (mib / 1024) if mib >= 1024 else "objects of %g MiB" % mib


def _row(job, own, by_tool, counts):
    name = job + (", esdk" if own == "s3seal esdk" else ", s3ec" if job.endswith("/client") else "")
    mine = by_tool[own]
    each = counts.get(own, 1)
    seconds = mine["wall"]["median"]
    said = "%.0f objects/s" % (each / seconds) if own in counts else "%.*f s" % (3 if seconds < 0.1 else 2, seconds)
    cells = ["%s · CPU %.2f s · %.0f MiB" % (said, mine["cpu"]["median"], mine["rss_mib"]["median"])]
    for tools in COLUMNS.values():
        tool = next((tool for tool in tools if tool in by_tool), None)
        cells.append(_cell(by_tool[tool], counts.get(tool, 1), mine, each) if tool else "")
    return "| %s | %s |" % (name, " | ".join(cells))


def _cell(cost, count, mine, each):
    """Wall and CPU of a peer as multiples of s3seal's."""
    parts = [cost[what]["median"] / count / (mine[what]["median"] / each) for what in ("wall", "cpu")]
    return " / ".join(("%.0f" if part >= 10 else "%.2f" if part >= 1 else "**%.2f**") % part for part in parts)
