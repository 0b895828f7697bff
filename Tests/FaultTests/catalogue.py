"""All scenarios by their names, and who judges them."""

import streams
from judge import Judge

SCENARIOS = {one.name: one for one in (streams.TCP, streams.Unix, streams.Web, streams.TLS, streams.Proxied)}


def judge_of(scenario):
    return Judge(scenario)
