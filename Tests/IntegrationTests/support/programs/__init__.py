"""Real programs that stand beside loopbridge: browsers, proxies, load generators, web apps."""
