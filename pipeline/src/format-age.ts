const units = [
  ['d', 24 * 60 * 60 * 1000],
  ['h', 60 * 60 * 1000],
  ['min', 60 * 1000],
  ['s', 1000],
] as const

/** A duration in its largest unit, as `3 d`, for people. */
export function formatAge(durationMs: number): string {
  const [unit, unitMs] = units.find(([, ms]) => durationMs >= ms) ?? (['s', 1000] as const)
  return `${Math.max(0, Math.floor(durationMs / unitMs))} ${unit}`
}
