/** How many names an error lists. */
const namesListed = 12

/**
 * Names of functions by how few letters tell them from what was typed, nearest first; as near ones by
 * name. Typed without a group, the groups do not count.
 */
export function nearestFirst(typed: string, names: Iterable<string>): readonly string[] {
  const compared = (name: string): string =>
    typed.includes('/') ? name : name.slice(name.indexOf('/') + 1)
  return [...names]
    .map((name) => ({ name, distance: editDistance(typed, compared(name)) }))
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name)
}

/** For an error: `shop/card, shop/quote and 80 more`, nearest first, or `none`. */
export function listNearest(typed: string, names: Iterable<string>): string {
  const near = nearestFirst(typed, names)
  const rest = near.length - namesListed
  const listed = near.slice(0, namesListed).join(', ') || 'none'
  return rest > 0 ? `${listed} and ${rest} more` : listed
}

/** Levenshtein's: letters to insert, delete or replace. One row of his table at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of Array.from(from).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(to).entries()) {
      const [left = 0, above = 0, corner = 0] = [next[j], row[j + 1], row[j]]
      next.push(Math.min(left + 1, above + 1, corner + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
