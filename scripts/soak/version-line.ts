/** Whether an answer may have been given, and whether it shows for the first time that a version is live. */
export type Acceptance = 'live' | 'known' | 'wrong'

/**
 * The versions one function is meant to have had, in order, and which of them an answer may come
 * from: from the one seen live when the request began up to the newest announced. So a request that
 * spans a swap may meet either side, and one that begins after a version was seen must not meet an
 * older one again.
 */
export interface VersionLine {
  /** A version that may go live from now on; the same one may return later. */
  announce(version: string): void
  /** To be called when a request begins; goes into `accept`. */
  begin(): number
  accept(begun: number, version: string): Acceptance
}

export function createVersionLine(first: string): VersionLine {
  const versions = [first]
  let live = 0
  return {
    announce: (version) => void versions.push(version),
    begin: () => live,
    accept(begun, version) {
      const index = versions.indexOf(version, begun)
      if (index === -1) return 'wrong'
      if (index <= live) return 'known'
      live = index
      return 'live'
    },
  }
}
