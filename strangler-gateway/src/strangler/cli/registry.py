"""Services that have registered themselves."""

from strangler.cli.admin_client import AdminClient
from strangler.cli.options import DEFAULT_STATE, Admin, Json, State
from strangler.cli.screen import console, print_json, say, table


def list_instances(state: State = DEFAULT_STATE, admin: Admin = None, as_json: Json = False) -> None:
    """Print who is registered, where, and for how long without a renewal."""
    document = AdminClient(admin, state).get("/registry")
    if as_json:
        print_json(document)
        return
    if not document["items"]:
        say("nobody is registered")
        return
    found = table("upstream", "instance", "address", "lease", "left", right=("lease", "left"))
    for item in document["items"]:
        found.add_row(
            item["upstream"], item["instance"], item["address"], f"{item['lease']:g} s", f"{item['seconds_left']:.1f} s"
        )
    console().print(found)
