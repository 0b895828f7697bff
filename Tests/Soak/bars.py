"""The bars that have to hold at the end of a soak."""

import dataclasses

from samples import growth

MIB = 1 << 20


@dataclasses.dataclass
class Bar:
    what: str
    figure: str
    holds: bool


def allowed_growth(seconds):
    """Within a few minutes the allocator still finds its level, and what slow readers have not taken makes a difference; a leak that
    matters shows in half an hour. There, 1 MiB in the last half is less than 8 bytes for each of 140,000 visits. In a run of 3
    minutes, 6 MiB are some 500 bytes for each: a connection that is forgotten costs more."""
    return MIB if seconds >= 600 else 6 * MIB


def bars(run):
    """`run` is a soak that is over."""
    verdict, rows = run.verdict, run.samples
    memory = growth(rows, "anonymous")
    found = [
        Bar("no transfer is falsely complete", f"{verdict.fault_count('false end', 'false upload')}",
            not verdict.fault_count("false end", "false upload")),
        Bar("no byte is wrong", f"{verdict.fault_count('wrong')}", not verdict.fault_count("wrong")),
        Bar("nothing is another client's", f"{verdict.fault_count('foreign')}", not verdict.fault_count("foreign")),
        Bar("no client hangs", f"{verdict.fault_count('hung')}", not verdict.fault_count("hung")),
        Bar("no honest client gets an error that it has not deserved", f"{verdict.fault_count('broken', 'failed', 'app failed')}",
            not verdict.fault_count("broken", "failed", "app failed")),
        Bar("no honest client is cut off without a cause", f"{len(verdict.unexplained)}", not verdict.unexplained),
        Bar("what a kernel had acknowledged arrives before the reset",
            f"{verdict.cuts_cut_short} of {verdict.acknowledged_cuts} short, by {verdict.bytes_cut_short} bytes", not verdict.cuts_cut_short),
        Bar("most visits of honest clients are whole", f"{run.whole_share:.1%}", run.whole_share > 0.8),
        Bar("the clients have all ended", "yes" if run.clients_ended else "no", run.clients_ended),
        Bar("gauges are 0", f"{run.gauges or 'all'}", not run.gauges),
        Bar("descriptors are at base", f"{run.descriptors} of {run.base_descriptors}", run.descriptors <= run.base_descriptors),
        Bar("memory is flat over the last half", f"{memory / MIB:+.2f} MiB, of {allowed_growth(run.seconds) / MIB:g} allowed",
            memory <= allowed_growth(run.seconds)),
        Bar("idle when idle", f"{run.idle_cpu:.2f} s of CPU in 5 s", run.idle_cpu <= 0.1),
        Bar("no mark of a crash in its log", f"{len(run.crash_marks)}", not run.crash_marks),
        Bar("it ends with 0 once it is told to", f"{run.code}", run.code == 0),
        Bar("the conductor met nothing unexpected", f"{len(run.conductor.failures)}", not run.conductor.failures),
    ]
    return found
