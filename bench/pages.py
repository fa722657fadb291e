"""Lists, tickets and search with a large house behind them, as JSON and as pages."""

from collections.abc import Sequence

from sqlmodel import col, select

from app.domain.words import Status
from app.store.tables import Ticket
from bench import anchors, bulk, load
from bench.load import Asked, Plan
from bench.rig import House, Sizes
from bench.table import Aim, Table

_WARM = 10  # requests before anything is measured


def measure(table: Table, house: House, sizes: Sizes) -> None:
    house.setten.serve()
    try:
        house.quiet()
        desk = _Desk(table, house, sizes)
        with table.under_way(f"{house.kind}: lists and tickets"):
            desk.lists()
            desk.tickets(_refs(house, sizes))
        with table.under_way(f"{house.kind}: search"):
            desk.search()
    finally:
        house.setten.stop()


def _refs(house: House, sizes: Sizes) -> Sequence[str]:
    """Tickets from all over the house."""
    with house.database.reading() as session:
        refs = session.exec(
            select(Ticket.ref).where(Ticket.status == Status.OPEN).order_by(col(Ticket.id))
        ).all()
    return refs[:: max(1, len(refs) // sizes.sequential)][: sizes.sequential]


class _Desk:
    """One signed-in agent with a stop-watch."""

    def __init__(self, table: Table, house: House, sizes: Sizes) -> None:
        self.table, self.house, self.sizes = table, house, sizes

    def lists(self) -> None:
        kind, json = self.house.kind, ["/api/tickets?view=open&limit=50"]
        one, _ = self._sequential(json)
        many, cpu = self._by_eight(json)
        add = self.table.add
        aim = Aim(at_least=0.5, relative=True)
        add(f"{kind}: inbox JSON, 8 clients", many.rate, "requests/s", aim, anchors.LIST_RATE)
        add(f"{kind}: inbox JSON, 8 clients p95", many.p95, "ms")
        add(f"{kind}: inbox JSON, CPU", cpu, "CPU ms", None, anchors.LIST_CPU)
        add(f"{kind}: inbox JSON p95", one.p95, "ms", None, anchors.LIST_P95)
        one, cpu = self._sequential(["/inbox?view=open"])
        add(f"{kind}: inbox page p50", one.p50, "ms", None, anchors.LIST_P95)
        add(f"{kind}: inbox page p95", one.p95, "ms", Aim(at_most=50), anchors.LIST_P95)
        add(f"{kind}: inbox page, CPU", cpu, "CPU ms", None, anchors.LIST_CPU)
        add(f"{kind}: inbox page", one.size / 1000, "kB")

    def tickets(self, refs: Sequence[str]) -> None:
        for what, path in (("JSON", "/api/tickets/{}"), ("page", "/tickets/{}")):
            asked, cpu = self._sequential([path.format(ref) for ref in refs])
            name = f"{self.house.kind}: ticket {what}"
            self.table.add(f"{name} p95", asked.p95, "ms", Aim(at_most=30), anchors.LIST_P95)
            self.table.add(f"{name}, CPU", cpu, "CPU ms", None, anchors.LIST_CPU)

    def search(self) -> None:
        needles = min(bulk.NEEDLES, self.sizes.tickets)
        common = min(200, bulk.common_tickets(self.sizes))  # a list holds no more
        for word, there in (
            (bulk.RARE, needles),
            (bulk.RARE_JAPANESE, needles),
            (bulk.COMMON, common),
        ):
            path = f"/api/tickets?q={word}&limit=200"
            rows = self.house.setten.get(path)["rows"]
            asked, _ = self._sequential([_quoted(path)])
            name = f"{self.house.kind}: search {word}"
            self.table.add(f"{name}, found of {there}", len(rows), "hits", Aim(at_least=there))
            self.table.add(f"{name} p95", asked.p95, "ms", Aim(at_most=50, stretch=20))

    def _sequential(self, paths: Sequence[str]) -> tuple[Asked, float]:
        plan, cookie = Plan(self.house.setten.port, count=self.sizes.sequential), self._cookie
        load.ask(Plan(self.house.setten.port, count=_WARM), paths, cookie)
        before = self.house.cpu_ms()
        asked = load.ask(plan, paths, cookie)
        return asked, (self.house.cpu_ms() - before) / asked.requests

    def _by_eight(self, paths: Sequence[str]) -> tuple[Asked, float]:
        plan = Plan(self.house.setten.port, clients=8, seconds=self.sizes.seconds)
        before = self.house.cpu_ms()
        asked = load.ask(plan, paths, self._cookie)
        return asked, (self.house.cpu_ms() - before) / asked.requests

    @property
    def _cookie(self) -> str:
        return self.house.setten.cookie


def _quoted(path: str) -> str:
    return "".join(
        letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in letter.encode())
        for letter in path
    )
