"""All scenarios by their names, and who judges them."""

import administration
import datagrams
import life
import streams
from judge import Judge

SCENARIOS = {one.name: one for one in (
    streams.TCP, streams.Unix, streams.Web, streams.TLS, streams.Proxied, datagrams.Datagrams, administration.Reload,
    administration.SamePort, administration.Admin, administration.Hold, life.Drain, life.Start)}


def judge_of(scenario):
    return (life.LifeJudge if isinstance(scenario, (life.Drain, life.Start)) else Judge)(scenario)
