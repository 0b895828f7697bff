"""A soak's figures, as JSON for machines and as Markdown for people."""

import collections
import json

from samples import growth


def figures(run, bars):
    verdict = run.verdict
    kinds = collections.defaultdict(dict)
    for (kind, outcome), count in sorted(verdict.outcomes.items()):
        kinds[kind][outcome] = count
    events = collections.Counter(event["what"] for event in run.conductor.events)
    memory = [row["anonymous"] for row in run.samples]
    return {
        "program": run.subject.name, "seconds": run.seconds, "seed": run.seed, "cable": run.network.kind, "frames": run.frames,
        "clock": run.subject.clock,
        "visits": sum(verdict.outcomes.values()), "whole": run.whole_share, "posts": verdict.posts, "counters": dict(verdict.counters),
        "events": dict(events), "reloads": run.conductor.reloads, "timeline": run.conductor.events,
        "memory": {"first": memory[0] if memory else 0, "largest": max(memory, default=0), "last": memory[-1] if memory else 0,
                   "at the end": run.memory_at_end, "growth": growth(run.samples, "anonymous")},
        "descriptors": {"base": run.base_descriptors, "largest": max((row["descriptors"] for row in run.samples), default=0),
                        "at the end": run.descriptors},
        "cpu_seconds": run.samples[-1]["cpu"] if run.samples else 0, "drained_after": run.drained_after, "logged_out": verdict.logged_out,
        "bars": [{"what": bar.what, "figure": bar.figure, "holds": bar.holds} for bar in bars],
        "kinds": kinds, "durations": {kind: _percentiles(kept) for kind, kept in sorted(verdict.durations.items())},
        "faults": verdict.faults[:200], "unexplained": verdict.unexplained[:200], "conductor": run.conductor.failures[:50],
        "left_over": run.left_over, "samples": run.samples,
        "excused": len(verdict.excused), "late": round(_seconds(verdict.delays), 1),
        "noise": run.subject.noise[:50], "program_counters": run.counters,
        "messages": dict(run.subject.messages.most_common(60)),
    }


def _seconds(delays):
    """The length of all delays together, without counting a moment twice."""
    total, end = 0.0, 0.0
    for delay in sorted(delays, key=lambda one: one["from"]):
        total += max(0.0, delay["to"] - max(delay["from"], end))
        end = max(end, delay["to"])
    return total


def _percentiles(kept):
    kept = sorted(kept)
    return {name: round(kept[min(len(kept) - 1, int(len(kept) * share))], 3) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))} if kept else {}


def markdown(made):
    lines = [
        f"# Soak of {made['program']}", "",
        f"{made['seconds'] / 60:g} minutes, seed {made['seed']}, cable: {made['cable']}, clock: {made['clock']}.", "",
        f"{made['visits']:,} visits, of which {made['whole']:.1%} of the honest clients' were whole; {made['posts']:,} POSTs.", "",
        f"For {made['late']:g} s the machine was so busy that clients, apps or the program had to wait for a processor; "
        f"{made['excused']} ends of that time that nothing else explains are not judged.", "",
        "| bar | figure | holds |", "| --- | --- | --- |",
        *(f"| {bar['what']} | {bar['figure']} | {'yes' if bar['holds'] else '**no**'} |" for bar in made["bars"]), "",
        "| event | times |", "| --- | --- |", *(f"| {what} | {count} |" for what, count in sorted(made["events"].items())), "",
        "| clients | outcomes | p50, p99, longest |", "| --- | --- | --- |",
        *(f"| {kind} | {', '.join(f'{outcome} {count}' for outcome, count in outcomes.items())} | {_times(made['durations'].get(kind))} |"
          for kind, outcomes in made["kinds"].items()), ""]
    for title, found in (("Faults", made["faults"]), ("Ends without a cause", made["unexplained"])):
        if found:
            lines += [f"## {title}", "", *(f"- {json.dumps(one)}" for one in found[:50]), ""]
    return "\n".join(lines)


def _times(percentiles):
    return ", ".join(f"{value:g} s" for value in percentiles.values()) if percentiles else ""


def save(folder, made):
    with open(f"{folder}/report.json", "w") as file:
        json.dump(made, file, indent=1)
    with open(f"{folder}/report.md", "w") as file:
        file.write(markdown(made))
