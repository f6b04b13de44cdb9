"""Writes the tables that readers see: five rows in the README, all jobs in the manual page.

Why: a reader of the README wants to know in one look who is ahead, by how much,
and when that was measured. Not here: the full report (table.py).
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
    "AWS CRT": ["AWS CRT"],
    "aws-encryption-cli": ["aws-encryption-cli 64 KiB", "aws-encryption-cli"],
    "bare SDK": ["sdk loop", "boto3 in 32 threads"],
}


# The rows and columns of the README: where s3seal wins, and where it does not.
SHORT = ["put/none", "get/none", "get/sse-kms", "put/client, s3ec", "get/client, s3ec"]
SHORT_COLUMNS = ["s5cmd", "rclone", "aws cli", "aws-encryption-cli"]


def write(facts, groups):
    """Writes the tables of the README and the manual page, and bench.md and bench.json beside this file."""
    with open(os.path.join(install.HERE, "bench.md"), "w") as file:
        file.write(table.markdown(facts, groups))
    with open(os.path.join(install.HERE, "bench.json"), "w") as file:
        json.dump({"facts": facts, "groups": groups}, file, indent=1)
        file.write("\n")
    pages(facts, groups)


def pages(facts, groups):
    """Replaces what stands between the marks. A run of some jobs only leaves the README as it is: five rows or none."""
    rows = dict(_rows(groups))
    _replace("man/s3seal-benchmarks.7.md", section(facts, rows, COLUMNS))
    if all(name in rows for name in SHORT):
        short = {name: rows[name] for name in SHORT}
        _replace("README.md", section(facts, short, SHORT_COLUMNS))


def _replace(page, text):
    path = os.path.join(install.ROOT, page)
    with open(path) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(before + BEGIN + text + END + after)


def section(facts, rows, columns):
    """What stands between the marks: what the numbers depend on, and a table."""
    lines = [
        "%s · `%s` · %s, client and server on it · %s · %s" % (
            facts["date"], facts["command"], facts["machine"], _size(facts["size_mib"]),
            ", ".join(_version(*pair) for pair in facts["versions"].items())), "",
        "| | s3seal | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|",
    ]
    lines += ["| %s | %s |" % (name, " | ".join([row["s3seal"]] + [row[column] for column in columns]))
              for name, row in rows.items()]
    return "\n".join(lines) + "\n\n"


def _rows(groups):
    """The name of each row, and its cells by column."""
    for group in groups:
        counts = group.get("counts", {})
        for job, by_tool in group["jobs"].items():
            for own in ("s3seal", "s3seal esdk"):
                if own in by_tool:
                    yield _row(job, own, by_tool, counts)


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
    cells = {"s3seal": "%s · CPU %.2f s · %.0f MiB" % (said, mine["cpu"]["median"], mine["rss_mib"]["median"])}
    for column, peers in COLUMNS.items():
        tool = next((tool for tool in peers if tool in by_tool), None)
        cells[column] = _cell(by_tool[tool], counts.get(tool, 1), mine, each) if tool else ""
    return name, cells


def _cell(cost, count, mine, each):
    """Wall and CPU of a peer as multiples of s3seal's."""
    parts = [cost[what]["median"] / count / (mine[what]["median"] / each) for what in ("wall", "cpu")]
    return " / ".join(("%.0f" if part >= 10 else "%.2f" if part >= 1 else "**%.2f**") % part for part in parts)
