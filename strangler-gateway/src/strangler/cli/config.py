"""The configuration: its schema, what is in force, and reading the file anew."""

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.options import DEFAULT_STATE, Admin, Author, Json, Reason, State, author_or_user
from strangler.cli.screen import print_error, print_json, say, slots, warn


def schema() -> None:
    """Print the JSON Schema of strangler.yaml, for editors and other tools."""
    from strangler.config import schema as json_schema  # noqa: PLC0415

    print_json(json_schema())


def show(state: State = DEFAULT_STATE, admin: Admin = None, as_json: Json = False) -> None:  # noqa: ARG001  # it always is
    """Print the configuration that is in force, as JSON."""
    print_json(AdminClient(admin, state).get("/config"))


def reload(
    reason: Reason = "reload",
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Read the file anew, in the running gateway. A file with errors is refused whole, and the old one stays."""
    wish = {"reason": reason, "author": author_or_user(author)}
    document = AdminClient(admin, state).post("/config/reload", wish)
    if as_json:
        print_json(document)
    else:
        what = "a new topology" if document["changed"] else "the same topology as before"
        say(f"{what}, in force as revision {document['revision']}")
        for warning in document["warnings"]:
            warn(warning)
        if document["missing"]:
            print_error(f"{slots(document['missing'])} did not acknowledge; `strangler status` shows them")
    raise typer.Exit(1 if document["missing"] else 0)
