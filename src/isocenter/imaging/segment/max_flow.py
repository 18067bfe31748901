"""The cheapest cut of a grid into a source's side and a sink's: augmenting paths found by two trees that are kept.

Flat arrays with a border of one voxel that no capacity leads to. Capacities are whole numbers, so the cut is exact.
Source: Boykov Y, Kolmogorov V. An experimental comparison of min-cut/max-flow algorithms for energy minimization in
vision. IEEE PAMI 2004;26(9):1124-1137.
"""

import numpy as np
from numba import njit

# Directions come in pairs: 2n and 2n + 1 are opposite. A parent may also be a terminal, or nobody.
_TERMINAL = 6
_ORPHAN = 7
_NOBODY = 8
_FREE, _SOURCE, _SINK = 0, 1, 2
_FAR = 2**30


@njit(cache=True)
def cut_grid(flow: np.ndarray, ends: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which voxels stay on the source's side, bool, flat; what no path reaches goes to the sink.

    flow      (voxels, 6) int32, capacity from each voxel to its neighbour in each direction; used up in place
    ends      (voxels,) int32, capacity from the source (above 0) or to the sink (below 0); used up in place
    offsets   (6,) of the neighbours: opposite directions side by side
    """
    count = ends.size
    tree = np.zeros(count, np.int8)
    parent = np.full(count, _NOBODY, np.int8)
    stamp = np.zeros(count, np.int32)
    depth = np.zeros(count, np.int32)
    queue = np.empty(count + 1, np.int32)
    queued = np.zeros(count, np.bool_)
    orphans = np.empty(count + 1, np.int32)
    net, trees, waiting = (flow, ends, offsets), (tree, parent, stamp, depth), (queue, queued, orphans)
    head = tail = 0
    for place in range(count):
        if ends[place] != 0:
            tree[place] = _SOURCE if ends[place] > 0 else _SINK
            parent[place] = _TERMINAL
            depth[place] = 1
            queue[tail] = place
            queued[place] = True
            tail += 1
    time = 0
    while head != tail:
        place = queue[head]
        if tree[place] == _FREE:
            queued[place] = False
            head = (head + 1) % (count + 1)
            continue
        direction, tail = _grow(place, net, trees, waiting, tail)
        if direction < 0:
            queued[place] = False
            head = (head + 1) % (count + 1)
            continue
        time += 1
        beside = place + offsets[direction]
        if tree[place] == _SOURCE:
            n_orphans = _augment(place, beside, direction, net, parent, orphans)
        else:
            n_orphans = _augment(beside, place, direction ^ 1, net, parent, orphans)
        tail = _adopt(n_orphans, time, net, trees, waiting, tail)
    return np.asarray(tree == _SOURCE)


@njit(cache=True)
def _grow(place, net, trees, waiting, tail):  # type: ignore[no-untyped-def]
    """Take in free neighbours; the direction in which the other tree was met, or -1, and the queue's end."""
    flow, _, offsets = net
    tree, parent, stamp, depth = trees
    queue, queued, _ = waiting
    own = tree[place]
    for direction in range(6):
        beside = place + offsets[direction]
        room = flow[place, direction] if own == _SOURCE else flow[beside, direction ^ 1]
        if room <= 0:
            continue
        if tree[beside] == _FREE:
            tree[beside] = own
            parent[beside] = direction ^ 1
            stamp[beside] = stamp[place]
            depth[beside] = depth[place] + 1
            if not queued[beside]:
                queued[beside] = True
                queue[tail] = beside
                tail = (tail + 1) % queue.size
        elif tree[beside] != own:
            return direction, tail
        elif stamp[beside] <= stamp[place] and depth[beside] > depth[place]:
            parent[beside] = direction ^ 1
            stamp[beside] = stamp[place]
            depth[beside] = depth[place] + 1
    return -1, tail


@njit(cache=True)
def _augment(start, end, direction, net, parent, orphans):  # type: ignore[no-untyped-def]
    """Push what fits along the path source ... start, end ... sink; how many voxels lost their parent."""
    flow, ends, offsets = net
    least = flow[start, direction]
    place = start
    while parent[place] != _TERMINAL:
        up = parent[place]
        place += offsets[up]
        least = min(least, flow[place, up ^ 1])
    least = min(least, ends[place])
    place = end
    while parent[place] != _TERMINAL:
        up = parent[place]
        least = min(least, flow[place, up])
        place += offsets[up]
    least = min(least, -ends[place])

    n_orphans = 0
    flow[start, direction] -= least
    flow[end, direction ^ 1] += least
    place = start
    while parent[place] != _TERMINAL:
        up = parent[place]
        above = place + offsets[up]
        flow[above, up ^ 1] -= least
        flow[place, up] += least
        if flow[above, up ^ 1] == 0:
            parent[place] = _ORPHAN
            orphans[n_orphans] = place
            n_orphans += 1
        place = above
    ends[place] -= least
    if ends[place] == 0:
        parent[place] = _ORPHAN
        orphans[n_orphans] = place
        n_orphans += 1
    place = end
    while parent[place] != _TERMINAL:
        up = parent[place]
        above = place + offsets[up]
        flow[place, up] -= least
        flow[above, up ^ 1] += least
        if flow[place, up] == 0:
            parent[place] = _ORPHAN
            orphans[n_orphans] = place
            n_orphans += 1
        place = above
    ends[place] += least
    if ends[place] == 0:
        parent[place] = _ORPHAN
        orphans[n_orphans] = place
        n_orphans += 1
    return n_orphans


@njit(cache=True)
def _adopt(n_orphans, time, net, trees, waiting, tail):  # type: ignore[no-untyped-def]
    """Find each orphan the nearest parent that hangs on its terminal, or set it free; the queue's end."""
    flow, _, offsets = net
    tree, parent, stamp, depth = trees
    queue, queued, orphans = waiting
    first, last = 0, n_orphans
    while first != last:
        place = orphans[first]
        first = (first + 1) % orphans.size
        own = tree[place]
        nearest, best = _FAR, -1
        for direction in range(6):
            beside = place + offsets[direction]
            if tree[beside] != own:
                continue
            room = flow[beside, direction ^ 1] if own == _SOURCE else flow[place, direction]
            if room > 0:
                far = _depth_of(beside, time, offsets, parent, stamp, depth)
                if far < nearest:
                    nearest, best = far, direction
        if best >= 0:
            parent[place] = best
            stamp[place] = time
            depth[place] = nearest + 1
            continue
        tree[place] = _FREE
        parent[place] = _NOBODY
        for direction in range(6):
            beside = place + offsets[direction]
            if tree[beside] != own:
                continue
            room = flow[beside, direction ^ 1] if own == _SOURCE else flow[place, direction]
            if room > 0 and not queued[beside]:
                queued[beside] = True
                queue[tail] = beside
                tail = (tail + 1) % queue.size
            if parent[beside] == direction ^ 1:
                parent[beside] = _ORPHAN
                orphans[last] = beside
                last = (last + 1) % orphans.size
    return tail


@njit(cache=True)
def _depth_of(place, time, offsets, parent, stamp, depth):  # type: ignore[no-untyped-def]
    """How many steps it is to the terminal, `_FAR` for a branch that hangs on none; the way there is stamped."""
    steps = 0
    here = place
    while True:
        if stamp[here] == time:
            steps += depth[here]
            break
        steps += 1
        up = parent[here]
        if up == _TERMINAL:
            stamp[here] = time
            depth[here] = 1
            break
        if up >= _ORPHAN:
            return _FAR
        here += offsets[up]
    here, left = place, steps
    while stamp[here] != time:
        stamp[here] = time
        depth[here] = left
        left -= 1
        here += offsets[parent[here]]
    return steps
