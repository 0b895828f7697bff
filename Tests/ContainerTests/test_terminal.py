"""`docker run -it` with a shell as the command: the keys do what they do under Docker's own init (tini)."""

import pytest

SHELL = ("bash", "--norc", "--noprofile", "--noediting", "-i")
PROMPT = "ready> "


@pytest.fixture(params=["loopbridge", "tini"])
def shell(request, terminal, privileges):
    """A shell at its prompt."""
    # No log between the lines of the screen.
    options = ("--env", f"PS1={PROMPT}", "--env", "TERM=dumb", "--env", "LOOPBRIDGE_LOG_LEVEL=error", *privileges)
    started = (
        terminal(*options, "debian-wrapped", *SHELL) if request.param == "loopbridge"
        else terminal(*options, "--init", "debian:bookworm", *SHELL))
    started.expect(PROMPT, limit=30)
    return started


def run(shell, command):
    """Types a command and returns what it shows."""
    shell.type(command + "\n")
    shell.expect(command)
    return shell.expect(PROMPT).strip()


def type_to_cat(shell, line):
    """Types a line and waits for cat's copy of it, behind the terminal's own: cat has the terminal."""
    shell.type(line + "\n")
    shell.expect(line)
    shell.expect(line)


def start_cat(shell):
    """Starts a command that runs until it is ended, and waits until it does."""
    shell.type("cat\n")
    type_to_cat(shell, "one")


def test_has_job_control(shell):
    assert "no job control" not in shell.screen
    assert "cannot set terminal process group" not in shell.screen


def test_ctrl_c_ends_the_command_and_not_the_shell(shell):
    start_cat(shell)
    shell.type(shell.CTRL_C)
    shell.expect(PROMPT)
    assert run(shell, "echo code $?") == "code 130"


def test_ctrl_c_at_the_prompt_does_nothing(shell):
    shell.type(shell.CTRL_C)
    shell.expect(PROMPT)
    assert run(shell, "echo code $?") == "code 130"


def test_ctrl_z_stops_and_fg_goes_on(shell):
    start_cat(shell)
    shell.type(shell.CTRL_Z)
    shell.expect("Stopped")
    shell.expect(PROMPT)
    assert "Stopped" in run(shell, "jobs")
    shell.type("fg\n")
    type_to_cat(shell, "two")
    shell.type(shell.CTRL_C)
    shell.expect(PROMPT)
    assert run(shell, "echo code $?") == "code 130"
    assert run(shell, "jobs") == ""


def test_ctrl_z_stops_and_bg_goes_on(shell):
    shell.type("sh -c 'echo sleeping; exec sleep 1000'\n")
    shell.expect("\nsleeping")
    shell.type(shell.CTRL_Z)
    shell.expect("Stopped")
    shell.expect(PROMPT)
    run(shell, "bg")
    assert "Running" in run(shell, "jobs")
    run(shell, "kill %1")


def test_the_size_of_the_terminal_is_known(shell):
    shell.resize(rows=33, columns=77)
    assert run(shell, "sleep 0.3; stty size") == "33 77"


def test_ctrl_d_ends_it(shell):
    run(shell, "(exit 5)")
    shell.type(shell.CTRL_D)
    assert shell.wait() == 5


def test_exit_ends_it(shell):
    shell.type("exit 3\n")
    assert shell.wait() == 3
