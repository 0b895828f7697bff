"""A process's memory, which only root may read."""

import re


def found_in_memory(pid, needles):
    """Those of the needles, given as {name: bytes}, that are anywhere in what the process has written."""
    found = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            start, end, rights, what = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            if "w" not in rights or what in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(int(start, 16))
                piece = memory.read(int(end, 16) - int(start, 16))
            except (OSError, OverflowError):
                continue  # it was given back meanwhile
            found |= {name for name, needle in needles.items() if needle in piece}
    return found


def traces_of_key(path, text):
    """Returns the bytes that give a private key away, as {name: bytes}.

    text: what `openssl pkey -text` says of it.
    """
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")[1:-2]
    traces = {f"PEM, line {number}": line[:48] for number, line in enumerate(lines) if len(line) >= 48 and number > 0}
    for name, digits in re.findall(r"^(priv|privateExponent|prime1|prime2|exponent1|coefficient):\s+((?:[0-9a-f]{2}[:\s]+)+)", text, re.M):
        number = bytes.fromhex(re.sub(r"[:\s]", "", digits)).lstrip(b"\0")
        # As files have it, as computers have it that begin with the lowest byte, and in writing.
        traces |= {f"{name}, DER": number, f"{name}, number": number[::-1], f"{name}, hexadecimal": number.hex().encode()}
    return traces
