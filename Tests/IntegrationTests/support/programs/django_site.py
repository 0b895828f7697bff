"""A Django project with its admin site, as it comes, but that it answers to `localhost` and nobody else."""

from support.namespaces import run
from support.packages import PYTHON, needs
from support.programs.web_apps import start_web_app

NAME, PASSWORD = "gardener", "correct horse"

# The mark of tests that need it. It is PyPI's: Debian's is too old to look at Origin.
SITE = needs("django")


def make_site(folder):
    """Makes the project in a folder, with a database and somebody who may log in; returns the folder."""
    folder.mkdir(exist_ok=True)
    run(PYTHON, "-B", "-m", "django", "startproject", "mysite", str(folder))
    settings = folder / "mysite/settings.py"
    text = settings.read_text()
    assert text.count("ALLOWED_HOSTS = []") == 1
    settings.write_text(text.replace("ALLOWED_HOSTS = []", "ALLOWED_HOSTS = ['localhost']"))
    run(PYTHON, "-B", "manage.py", "migrate", cwd=folder)
    code = f"from django.contrib.auth.models import User; User.objects.create_superuser({NAME!r}, '', {PASSWORD!r})"
    run(PYTHON, "-B", "manage.py", "shell", "-c", code, cwd=folder)
    return folder


def start_site(namespace, folder, *options):
    """Starts its development server on 127.0.0.1:8000; returns its Process, to be stopped by the caller."""
    return start_web_app(namespace, PYTHON, "-B", "manage.py", "runserver", "--noreload", *options, cwd=folder)
