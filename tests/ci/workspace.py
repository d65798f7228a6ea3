"""A workspace as small as it can be, in a git repository: a library, a service on it, a monolith, some suites."""

import subprocess
from pathlib import Path

MEMBER = """\
[project]
name = "{distribution}"
version = "{version}"
dependencies = [{dependencies}]

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
"""
SUITES = """\
[architecture]
paths = ["tests/architecture"]
uses = []

[contract]
paths = ["tests/contract"]
uses = ["monolith", "catalog"]

[docs]
paths = ["tests/docs", "tests/architecture/test_links.py"]
uses = []

[support]
paths = ["tests/support_tests"]
uses = []
"""
FILES = {
    "Makefile": "all:\n",
    "constraints.txt": "",
    "docs/page.md": "# Page\n",
    "ci/suites.toml": SUITES,
    "kit/src/kit_package/marks.py": "",
    "kit/tests/test_marks.py": "import kit_package\n",
    "extracted/chassis/src/chassis/logs.py": "from kit_package import marks\n",
    "extracted/chassis/tests/test_logs.py": "from support.database import x\n",
    "extracted/catalog/src/catalog_service/service.py": "import chassis.logs\n",
    "extracted/catalog/tests/test_service.py": "import catalog_service.service\n",
    "extracted/catalog/README.md": "# Catalog\n",
    "monolith/src/shop/cli.py": "",
    "monolith/tests/test_cli.py": "    from contract.keys import KEY\n",
    "tests/architecture/test_files.py": "",
    "tests/architecture/test_links.py": "",
    "tests/contract/keys.py": "",
    "tests/contract/test_cases.py": "from contract.keys import KEY\n",
    "tests/docs/test_pages.py": "",
    "tests/support/database.py": "",
    "tests/support_tests/test_database.py": "from support import database\n",
}


def member(folder: str, distribution: str, package: str, *dependencies: str, version: str = "0.1.0") -> dict[str, str]:
    """Its pyproject.toml as a file."""
    names = ", ".join(f'"{name}"' for name in dependencies)
    values = {"distribution": distribution, "version": version, "package": package, "dependencies": names}
    return {f"{folder}/pyproject.toml": MEMBER.format(**values)}


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def make(root: Path) -> Path:
    """All of it below `root`."""
    write(root, FILES)
    write(root, member("kit", "the-kit", "kit_package"))
    write(root, member("extracted/chassis", "chassis", "chassis", "the_kit[sqlalchemy]>=0.1", "fastapi"))
    write(root, member("extracted/catalog", "catalog-service", "catalog_service", "chassis"))
    write(root, member("monolith", "shop", "shop", "flask"))
    return root


def git(root: Path, *arguments: str) -> str:
    who = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    done = subprocess.run(["git", "-C", root, *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, message: str = "a change") -> str:
    """Commit all that is there, and return the commit's name."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")
