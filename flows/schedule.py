"""Deploy a recipe to Prefect: built by a cron schedule, or whenever somebody asks.

    python -m flows.schedule my.toml --cron "0 2 * * *" --store /srv/pairwright
    prefect worker start --pool pairwright

The deployment holds the absolute paths of recipe and store: they must be the same for the worker.
A shipped recipe is named, and found where pairwright is installed. PREFECT_API_URL says where the
server is. Deploying again changes the deployment of that name.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any

from flows.options.numbers import positive
from flows.options.recipe import add_recipe
from flows.options.shipped_recipes import find_recipe, shipped_recipes
from pipelines.errors import BackendError, PairwrightError, RecipeError
from pipelines.extras import missing
from pipelines.recipe import read_recipe

PIECES = "minute hour day month weekday"
BANNED = "/%&<>"
"""What no name of Prefect's may hold."""
USER = re.compile(r"(?<=//)[^/@\s]+@")
"""User and password in an address."""


def make_parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.schedule",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_recipe(parser)
    parser.add_argument(
        "--cron", metavar=f'"{PIECES.upper()}"', help="when to build; without it, when asked"
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", default="UTC", help="of --cron (default: UTC)"
    )
    parser.add_argument(
        "--pool", metavar="POOL", type=_name, default="pairwright", help="the work pool"
    )
    parser.add_argument("--name", type=_name, help="of the deployment (default: the dataset's)")
    parser.add_argument("--shards", metavar="N", type=positive, help="tasks of a build, 1 to 64")
    return parser


def _name(given: str) -> str:
    if not given or set(given) & set(BANNED):
        raise argparse.ArgumentTypeError(f"a name without any of {BANNED} is wanted, not {given!r}")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploys. Returns 0, 2 where the recipe or an option is wrong, or 5 where no server answers."""
    chosen = make_parser().parse_args(arguments)
    try:
        parameters = parameters_of(chosen)
        check_schedule(chosen.cron, chosen.timezone)
        name = chosen.name or read_recipe(find_recipe(chosen.recipe), chosen.overrides).head.name
        deploy(name, chosen.pool, parameters, cron=chosen.cron, timezone=chosen.timezone)
    except PairwrightError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    when = f'by "{chosen.cron}" {chosen.timezone}' if chosen.cron else "when asked"
    print(f"deployed build-dataset/{name} to {chosen.pool}: built {when}")
    print(f"run it now:   prefect deployment run build-dataset/{name}")
    print(f"its worker:   prefect worker start --pool {chosen.pool} --type process")
    return 0


def parameters_of(chosen: argparse.Namespace) -> dict[str, Any]:
    """The flow's parameters, which mean the same wherever the worker runs. Raises RecipeError."""
    path = find_recipe(chosen.recipe)
    read_recipe(path, chosen.overrides)
    shipped = {place: name for name, place in shipped_recipes().items()}
    return {
        "recipe": shipped.get(path) or str(path.absolute()),
        "store": str(chosen.store.absolute()),
        "overrides": chosen.overrides,
        "shards": chosen.shards,
    }


def check_schedule(cron: str | None, timezone: str) -> None:
    """Raises RecipeError where that is no time to build at, or Prefect is not installed."""
    if lacking := missing("prefect", "prefect"):
        raise RecipeError(lacking)
    from prefect.client.schemas.schedules import CronSchedule
    from pydantic import ValidationError

    try:
        CronSchedule(cron="0 0 * * *" if cron is None else cron, timezone=timezone)
    except ValidationError as error:
        [fault] = error.errors()
        option = "".join(map(str, fault["loc"]))
        hint = f'; wanted are five pieces: "{PIECES}"' if option == "cron" else ""
        told = fault["msg"].removeprefix("Value error, ")
        raise RecipeError(f"--{option}: {told}{hint}") from error


def deploy(
    name: str, pool: str, parameters: dict[str, Any], *, cron: str | None, timezone: str
) -> None:
    """Creates or changes the deployment, and makes the work pool if it is not there.

    One run at a time: of two that build at once, both may pay for the same call; the later one
    waits. Raises BackendError where the server does not answer, or refuses.
    """
    import httpx
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron
    from prefect.settings import PREFECT_API_URL
    from prefect.types.entrypoint import EntrypointType

    from flows.build import build_dataset

    deployment = RunnerDeployment.from_flow(
        build_dataset,
        name,
        schedule=Cron(cron, timezone=timezone) if cron else None,
        concurrency_limit=1,
        parameters=parameters,
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    try:
        _make_pool(pool)
        deployment.apply()
    except httpx.HTTPError as error:
        said = f"the Prefect server at {PREFECT_API_URL.value()}: {error}"
        raise BackendError(
            f"{USER.sub('', said)}. `prefect server start` starts one, and PREFECT_API_URL names it"
        ) from error


def _make_pool(pool: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        except ObjectAlreadyExists:
            return


if __name__ == "__main__":
    sys.exit(main())
