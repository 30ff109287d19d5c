/**
 * Settled: what is chained to it, or awaits it, runs in a microtask. Functions are entered, and
 * their callbacks called, from one only: the watchdog can stop a runaway loop there, whereas under
 * the callback of a socket it would unwind the host's frames and under a timer's abort the process.
 */
export const microtask: Promise<void> = Promise.resolve()
