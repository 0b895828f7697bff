"""Makes system calls of the real program fail, one by one, under traffic, and judges what comes of it.

    make test-faults                                   all of it, half an hour
    make test-faults-quick                             each scenario and call once or twice, two minutes
    Tests/FaultTests --scenario tcp,tls --call recvfrom
    Tests/FaultTests --only loopbridge/tcp/recvfrom/ENOMEM/3

It needs root, strace, and for the comparison HAProxy. The exit code is 1 if a case has failed for which explained.py has no
explanation. docs/reliability.md says what is judged.
"""

import argparse
import os
import pathlib
import shutil
import sys
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "IntegrationTests")]
os.environ.setdefault("LOOPBRIDGE_PROGRAM", str(_HERE.parents[1] / "dist/loopbridge"))

from campaign import Campaign  # noqa: E402
from catalogue import SCENARIOS  # noqa: E402
from judge import Case  # noqa: E402
from report import Findings, again  # noqa: E402
from support.namespaces import remove_stale_namespaces  # noqa: E402
from support.settings import PROGRAM  # noqa: E402


def _arguments():
    parser = argparse.ArgumentParser(prog="FaultTests", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each call's two most telling errors, the first time and always")
    parser.add_argument("--scenario", help=f"some of them: {', '.join(SCENARIOS)}")
    parser.add_argument("--call", help="some calls")
    parser.add_argument("--error", help="some errors")
    parser.add_argument("--only", action="append", help="one case: PROGRAM/SCENARIO/CALL/ERROR/WHEN; may be repeated")
    parser.add_argument("--peer", action="store_true", help="HAProxy too")
    parser.add_argument("--peer-only", action="store_true", help="HAProxy alone")
    parser.add_argument("--lanes", type=int, default=2 * (os.cpu_count() or 1), help="how many cases at a time (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="after which no further case is tried (%(default)s)")
    parser.add_argument("--report", default=".build-faults", help="the folder for report.md and report.json (%(default)s)")
    return parser.parse_args()


def _split(text):
    return set(text.split(",")) if text else None


def _pairs(options):
    names = _split(options.scenario)
    if names and (unknown := names - set(SCENARIOS)):
        sys.exit(f"there is no scenario {', '.join(sorted(unknown))}")
    subjects = [] if options.peer_only else ["loopbridge"]
    if (options.peer or options.peer_only) and (shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")):
        subjects.append("haproxy")
    return [(subject, name) for subject in subjects for name, kind in SCENARIOS.items()
            if (not names or name in names) and (subject == "loopbridge" or kind.haproxy)]


def _planned(campaign, options, findings):
    cases = []
    for pair, answer in campaign.plans(_pairs(options), options.quick).items():
        if isinstance(answer, str):
            findings.broken[pair] = answer
            continue
        listed, unknown, left_out = answer
        if unknown:
            findings.unknown[pair] |= set(unknown)
        for call in left_out:
            findings.left_out[call].add("/".join(pair))
        cases += listed
    calls, errors = _split(options.call), _split(options.error)
    return [case for case in cases if (not calls or case.call in calls) and (not errors or case.error in errors)]


def _named(options):
    for name in options.only:
        subject, scenario, call, error, when = name.split("/")
        yield Case(subject, scenario, call, error, 0 if when == "always" else int(when))


def _run(options):
    findings = Findings()
    campaign = Campaign(options.lanes, options.minutes * 60)
    try:
        cases = list(_named(options)) if options.only else _planned(campaign, options, findings)
        print(f"{len(cases)} cases, {options.lanes} at a time, {PROGRAM}", flush=True)
        told = time.monotonic()
        for number, result in enumerate(campaign.results(cases), 1):
            findings.results.append(result)
            if findings.verdict(result) == "failed":
                print(f"FAILED {result.case}: {'; '.join(result.violations)[:400]}\n       {again(result.case)}", flush=True)
            elif options.only:
                print(f"{findings.verdict(result)} {result.case}: {result.outcomes} {result.violations}", flush=True)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"{number} of {len(cases)}: {dict(findings.counts())}", flush=True)
    finally:
        campaign.end()
    return findings


def main():
    options = _arguments()
    if os.geteuid() != 0:
        sys.exit("network namespaces and strace take root")
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"there is no program at {PROGRAM}: make dist")
    remove_stale_namespaces()
    findings = _run(options)
    folder = pathlib.Path(options.report)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(findings.markdown())
    (folder / "report.json").write_text(findings.json())
    print(findings.table())
    for (subject, scenario), text in findings.broken.items():
        print(f"BROKEN {subject}/{scenario}: {text}")
    for pair, calls in findings.unknown.items():
        print(f"no table of errors for {', '.join(sorted(calls))} ({'/'.join(pair)})")
    if not_tried := findings.counts()["not tried"]:
        print(f"{not_tried} cases were not tried: the time is over")
    counts = findings.counts("loopbridge")
    print(f"{folder / 'report.md'} has every finding.")
    print(f"{counts['passed']} passed, {counts['failed'] + len(findings.broken)} failed, {counts['explained']} explained")
    sys.exit(1 if findings.has_failed else 0)


if __name__ == "__main__":
    main()
