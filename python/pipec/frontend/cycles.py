"""Finds the cycles of a graph, without recursion: a chain may have any length."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=str)


def find_cycles(edges: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """A shortest cycle of each knot of the graph, from the knot's first node in the graph's order.

    A knot is a set of nodes that all reach each other. Edges to nodes that the graph does not have
    are left alone.
    """
    order = {node: position for position, node in enumerate(edges)}
    for knot in _knots(edges):
        first = min(knot, key=order.__getitem__)
        if len(knot) > 1 or first in edges[first]:
            yield _shortest(first, frozenset(knot), edges)


def _knots(edges: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """Tarjan's strongly connected components."""
    index: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    on_stack: set[Node] = set()
    stack: list[Node] = []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = lowest[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in edges:
                    continue
                if following not in index:
                    index[following] = lowest[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(edges[following])))
                    break
                if following in on_stack:
                    lowest[node] = min(lowest[node], index[following])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == index[node]:
                    knot: list[Node] = []
                    while not knot or knot[-1] != node:
                        knot.append(stack.pop())
                        on_stack.discard(knot[-1])
                    yield knot


def _shortest(
    first: Node, knot: frozenset[Node], edges: Mapping[Node, Sequence[Node]]
) -> list[Node]:
    before: dict[Node, Node] = {}
    pending = deque([first])
    while pending:
        node = pending.popleft()
        for following in edges[node]:
            if following == first:
                path = [node]
                while path[-1] != first:
                    path.append(before[path[-1]])
                return path[::-1]
            if following in knot and following not in before:
                before[following] = node
                pending.append(following)
    raise AssertionError("a knot has a cycle through each of its nodes")
