/**
 * The RFC 8785 canonical form of a JSON value: members sorted by UTF-16 code units, no spaces,
 * numbers and strings as ECMAScript writes them. Two equal values have one form, so that a digest
 * over it depends on nothing else.
 *
 * @throws TypeError on what JSON cannot hold: functions, symbols, bigints, NaN, infinities.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${value} has no JSON form`)
  }
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`)
  return text
}
