/** Which of a function's two revisions serves a key. */
export type Side = 'stable' | 'canary'

export interface SideChoice {
  /** Random per rollout: which keys meet a canary differs from one rollout to the next. */
  readonly salt: string
  /** Who is asking, as the sticky key says: the same key meets the same side on every instance. */
  readonly key: string
  /** Integer percent of keys the canary serves; 0 none, 100 all. */
  readonly weightPercent: number
}

/**
 * The side that serves this key: canary when `hash(salt, key)` falls below the weight. Monotonic:
 * a key that met the canary keeps meeting it as the weight grows, and one that is still on stable
 * stays there as the weight shrinks.
 */
export function chooseSide({ salt, key, weightPercent }: SideChoice): Side {
  return keyPercent(salt, key) < weightPercent ? 'canary' : 'stable'
}

/** Where a key lies on the scale that weights cut, from 0 (inclusive) to 100 (exclusive). */
export function keyPercent(salt: string, key: string): number {
  let hash = fnvOffset
  hash = fnv1a(hash, salt)
  // Separates ('ab', 'c') from ('a', 'bc').
  hash = Math.imul(hash ^ 0xff, fnvPrime)
  return (mix(fnv1a(hash, key)) / 2 ** 32) * 100
}

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** FNV-1a over UTF-16 code units, low byte then high byte, so that text of any script counts in full. */
function fnv1a(seed: number, text: string): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), fnvPrime)
    hash = Math.imul(hash ^ (unit >>> 8), fnvPrime)
  }
  return hash
}

/** MurmurHash3's finaliser: FNV alone leaves the high bits of short keys correlated. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
