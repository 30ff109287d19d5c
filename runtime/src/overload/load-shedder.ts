/**
 * Decides which functions to turn away while the event loop cannot keep up: the heaviest first, one
 * at a time, until it can. Knows no clock and no timer.
 */
export interface LoadShedder {
  /** To be called at even intervals; returns what has changed, null when nothing has. */
  observe(sample: LoadSample): ShedChange | null
  /** Functions that are turned away. */
  readonly shed: ReadonlySet<string>
  /** How late the event loop runs, in milliseconds: the mean of the last samples. */
  readonly delayMs: number
}

export interface LoadSample {
  /** How much later than asked for the event loop got to it. */
  readonly lateMs: number
  /**
   * Milliseconds the event loop has spent in each function so far. Asked for only while it runs late:
   * of a thousand functions it takes 2 ms.
   */
  readonly loopMs: () => ReadonlyMap<string, number>
  readonly elapsedMs: number
}

interface Load {
  readonly atMs: number
  readonly loopMs: ReadonlyMap<string, number>
}

export interface ShedChange {
  readonly kind: 'shed' | 'restored'
  readonly function: string
  /** Part of the event loop's time it had, 0–1, when it was shed. */
  readonly share: number
}

/** So many samples make a mean, and so many must pass between two changes. */
const samples = 10
/** So many tell who is the heaviest. */
const shareSamples = samples / 2
/** Who has less of the event loop than this is not what holds it up. */
const minShare = 0.1

export function createLoadShedder({ limitMs }: { readonly limitMs: number }): LoadShedder {
  let window: LoadSample[] = []
  /** Of the last samples, for as long as the loop runs late. */
  let loads: Load[] = []
  let elapsedMs = 0
  /** The last to be shed is the first to be restored. */
  const shed = new Map<string, number>()
  let sinceChange = 0

  const mean = (): number =>
    window.reduce((total, { lateMs }) => total + lateMs, 0) / Math.max(1, window.length)

  const heaviest = (): [string, number] | null => {
    const [first] = loads
    const last = loads.at(-1)
    if (first === undefined || last === undefined || loads.length <= shareSamples) return null
    let found: [string, number] | null = null
    for (const [name, loopMs] of last.loopMs) {
      const share = (loopMs - (first.loopMs.get(name) ?? 0)) / (last.atMs - first.atMs)
      if (!shed.has(name) && share > (found?.[1] ?? minShare)) found = [name, share]
    }
    return found
  }

  const decide = (): ShedChange | null => {
    if (mean() > limitMs) {
      const found = heaviest()
      if (found === null) return null
      const [name, share] = [found[0], Math.min(1, found[1])]
      shed.set(name, share)
      return { kind: 'shed', function: name, share }
    }
    const last = [...shed].at(-1)
    if (last === undefined || mean() > limitMs / 2) return null
    const [name, share] = last
    shed.delete(name)
    return { kind: 'restored', function: name, share }
  }

  return {
    observe: (sample) => {
      window = [...window, sample].slice(-samples)
      elapsedMs += sample.elapsedMs
      const load = mean() > limitMs / 2 ? { atMs: elapsedMs, loopMs: sample.loopMs() } : null
      loads = load === null ? [] : [...loads, load].slice(-samples - 1)
      sinceChange += 1
      if (sinceChange < samples) return null
      const change = decide()
      if (change !== null) sinceChange = 0
      return change
    },
    get shed() {
      return new Set(shed.keys())
    },
    get delayMs() {
      return mean()
    },
  }
}
