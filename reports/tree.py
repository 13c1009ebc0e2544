"""The family tree of an item, as its page draws it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from core.accounts.models import User
from core.accounts.subjects import pages_of
from registry.processing import Family, Node, family_of, knowable


@dataclass(frozen=True, slots=True)
class Branch:
    """One item of the tree with the pages that the reader may open, and what grows from it."""

    node: Node
    url: str
    run_url: str
    root_url: str
    branches: list["Branch"]


@dataclass(frozen=True, slots=True)
class Tree:
    """What the item was made of, what was made of it, and whether there is more than is shown."""

    ancestors: list[Branch]
    descendants: list[Branch]
    is_cut: bool

    def __bool__(self) -> bool:
        return bool(self.ancestors or self.descendants)


def tree_of(item_id: int, reader: User) -> Tree:
    """Both directions, with links for this reader; seven queries at most, however large the family."""
    family: Family = family_of(item_id)
    nodes = [*_all(family.ancestors), *_all(family.descendants)]
    if not nodes:
        return Tree([], [], is_cut=False)
    seen = knowable(reader, {node.item_id for node in nodes})
    pages = pages_of(
        reader,
        [("processing", node.run_id) for node in nodes]
        + [("case", node.root_id) for node in nodes if node.root_kind == "case"],
    )

    def branch(node: Node) -> Branch:
        return Branch(
            node=node,
            url=reverse("reports:item", args=[node.item_id]) if node.item_id in seen else "",
            run_url=pages.get(("processing", str(node.run_id)), ""),
            root_url=pages.get((node.root_kind, str(node.root_id)), ""),
            branches=[branch(below) for below in node.branches],
        )

    return Tree(
        [branch(node) for node in family.ancestors], [branch(node) for node in family.descendants], family.is_cut
    )


def _all(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        yield node
        yield from _all(node.branches)
