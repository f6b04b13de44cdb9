"""Writes the numbers: Markdown for people, JSON for programs.

Why ratios: seconds say something about the machine, ratios within one run about
the tools. A cell where a peer is ahead is marked as one where s3seal is.
Not here: how the numbers came about (main.py).
"""

import json
import os


def write(folder, facts, groups):
    """Writes bench.md and bench.json; prints the former."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "bench.json"), "w") as file:
        json.dump({"facts": facts, "groups": groups}, file, indent=1)
    text = markdown(facts, groups)
    with open(os.path.join(folder, "bench.md"), "w") as file:
        file.write(text)
    print(text)


def markdown(facts, groups):
    """The whole page."""
    lines = [
        "# s3seal and its peers, side by side", "",
        "%s · `%s`" % (facts["date"], facts["command"]), "",
        "Objects of %g MiB, %d rounds in turns, medians (least–most). Files and the server's bodies in %s."
        % (facts["size_mib"], facts["rounds"], facts["folder"]),
        "%d small files of 64 KiB. The wide-area link: %s a connection, objects of at most 256 MiB." % (facts["files"], facts["link"]),
        "Machine: %s; the server (%s) shares it, so CPU is the client's alone and ratios count more than seconds."
        % (facts["machine"], facts["server"]), "",
        "Versions: " + "; ".join("%s: %s" % pair for pair in facts["versions"].items()) + ".", "",
        "The last columns compare with s3seal in the same job: above 1 the tool takes more than s3seal, below 1"
        " (**bold**) it takes less.", "",
    ]
    for tool, why in facts["missing"].items():
        lines += ["Left out: %s (%s)." % (tool, why), ""]
    for group in groups:
        lines += _group(group)
    lines += ["## What each was asked to do", "", "| tool | job | command |", "|---|---|---|"]
    seen = {(tool, job) for group in groups for job, by_tool in group["jobs"].items() for tool in by_tool}
    for tool, jobs in facts["commands"].items():
        for job, command in jobs.items():
            if (tool, job) in seen:
                cells = (tool, job, "`%s`" % command)
                lines.append("| %s |" % " | ".join(cell.replace("|", "\\|") for cell in cells))
    return "\n".join(lines) + "\n"


def _group(group):
    name = group["group"]
    lines = ["## %s" % (name[:1].upper() + name[1:]), "",
             "Load of the machine: %.1f before, %.1f after." % tuple(group["load"]), ""]
    for tool, why in group["failed"].items():
        lines += ["%s failed: %s" % (tool, why.replace("\n", " ")), ""]
    if "counts" in group:
        return lines + _many(group)
    for job, by_tool in group["jobs"].items():
        lines += ["| %s | wall s | CPU s (user + system) | peak MiB | wall ÷ s3seal | CPU ÷ s3seal |" % job,
                  "|---|---|---|---|---|---|"]
        for tool, cost in by_tool.items():
            tool = tool.replace("|", "\\|")
            lines.append("| %s | %s | %s (%.2f + %.2f) | %.0f | %s | %s |" % (
                tool, _spread(cost["wall"]), _spread(cost["cpu"]), cost["user"]["median"], cost["system"]["median"],
                cost["rss_mib"]["median"], _ratio(cost, "wall"), _ratio(cost, "cpu")))
        lines.append("")
    return lines


def _many(group):
    lines = []
    for job, by_tool in group["jobs"].items():
        lines += ["| %s | objects | objects a second | CPU ms an object | peak MiB | s3seal's rate ÷ |" % job,
                  "|---|---|---|---|---|---|"]
        rates = {tool: group["counts"][tool] / cost["wall"]["median"] for tool, cost in by_tool.items()}
        for tool, cost in by_tool.items():
            ratio = rates.get("s3seal", 0) / rates[tool]
            lines.append("| %s | %d | %.0f | %.2f | %.0f | %s |" % (
                tool, group["counts"][tool], rates[tool], cost["cpu"]["median"] * 1000 / group["counts"][tool],
                cost["rss_mib"]["median"],
                "" if tool == "s3seal" else ("%.2f" if ratio >= 1 else "**%.2f**") % ratio))
        lines.append("")
    return lines


def _spread(numbers):
    digits = 3 if numbers["median"] < 0.5 else 2
    return "%.*f (%.*f–%.*f)" % (digits, numbers["median"], digits, numbers["least"], digits, numbers["most"])


def _ratio(cost, what):
    ratio = cost.get(what + "_ratio")
    if not ratio:
        return ""
    median = ("%.2f" if ratio["median"] >= 1 else "**%.2f**") % ratio["median"]
    return "%s (%.2f–%.2f)" % (median, ratio["least"], ratio["most"])
