/** Keeps back what else is due in a turn of the event loop. */
export interface TurnRest {
  /**
   * From now on to the end of this turn; or, when nothing is due in it, of the next in which something
   * is. Only takes note: it may interrupt anything.
   */
  begin(): void
  /** Whether `run` is kept back: it is called in the next turn then, in the order of the calls of this. */
  keepsBack(run: () => void): boolean
}

export function createTurnRest(): TurnRest {
  let isOn = false
  let willEnd = false
  const end = (): void => {
    isOn = false
    willEnd = false
  }
  return {
    begin: () => {
      isOn = true
    },
    keepsBack: (run) => {
      if (!isOn) return false
      if (!willEnd) setImmediate(end)
      willEnd = true
      setImmediate(run)
      return true
    },
  }
}
