import type { FreezeWindow } from '@needle-faas/runtime/manifest'

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/**
 * The window that a moment (epoch milliseconds) lies in; null when nothing is frozen. A window that
 * cannot be read counts as one: a wrong word must not let a step through.
 */
export function findFreeze(
  windows: readonly FreezeWindow[] | undefined,
  now: number,
): FreezeWindow | null {
  return windows?.find((window) => isWithin(window, now)) ?? null
}

/** Whether this names days: `mon` to `sun`, or a date that there is. */
export function isDay(name: string): boolean {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(name) && dateOf(Date.parse(name)) === name
  return isDate || weekdays.some((weekday) => weekday === name)
}

/** Whether this is a time zone that times can be told in. */
export function isTimeZone(name: string): boolean {
  return wallClock(name) !== null
}

function isWithin({ days, from, to, timeZone }: FreezeWindow, now: number): boolean {
  const clock = wallClock(timeZone)
  if (clock === null) return true
  const { date, time } = readClock(clock, now)
  const dayBefore = dateOf(Date.parse(date) - 24 * 60 * 60 * 1000)
  if (from < to) return isListed(days, date) && from <= time && time < to
  return (isListed(days, date) && from <= time) || (isListed(days, dayBefore) && time < to)
}

function isListed(days: readonly string[], date: string | null): boolean {
  if (date === null) return false
  // Of a date alone, which is UTC and begins on a Sunday with 0.
  const weekday = weekdays[(new Date(date).getUTCDay() + 6) % 7]
  return days.some((day) => day === date || day === weekday)
}

/** In UTC; null when it is no time. */
function dateOf(time: number): string | null {
  return Number.isNaN(time) ? null : new Date(time).toISOString().slice(0, 10)
}

function wallClock(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function readClock(clock: Intl.DateTimeFormat, now: number): { date: string; time: string } {
  const parts = new Map(clock.formatToParts(now).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}`,
  }
}
