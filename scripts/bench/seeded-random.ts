/**
 * Numbers in [0, 1) that are the same for the same seed (mulberry32), so that a measurement's order
 * and its interval can be repeated.
 */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A copy in random order, every order equally likely. */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const tagged = items.map((item) => ({ item, rank: random() }))
  return tagged.toSorted((a, b) => a.rank - b.rank).map(({ item }) => item)
}
