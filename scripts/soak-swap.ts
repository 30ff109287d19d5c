/**
 * `npm run soak:swap`: merges and reverts go live under constant load with no failed request. Every
 * answer must be a 2xx, whole, and of a version that may serve at that moment; every version must be
 * seen live before the next one is merged. On a directory, or on the bucket NEEDLE_STORE names.
 * Exit code 1 when anything of that did not hold.
 */
import { styleText } from 'node:util'
import { commandLine, wholeNumber } from './command-line.ts'
import { runSwapSoak, spreadOf, type SwapSoak } from './soak/swap-soak.ts'

const { swaps, rate, poll } = commandLine(
  'npm run soak:swap',
  `Merges and reverts go live under constant load, with no failed request.

The deploy steps are the real ones but for the functions' own checks, which are not measured here.
On a real S3 gateway: npm run s3 -- --exec "npm run soak:swap"`,
)
  .option('--swaps <n>', 'versions that go live, merges and reverts in turn', wholeNumber(1), 200)
  .option(
    '--rate <n>',
    'requests per second on three functions: GET, POST and a stream',
    wholeNumber(1),
    150,
  )
  .option('--poll <ms>', 'poll interval of the BFF', wholeNumber(50), 200)
  .parse()
  .opts<{ swaps: number; rate: number; poll: number }>()

const soak = await runSwapSoak({
  name: 'soak',
  swaps,
  ratePerSecond: rate,
  pollIntervalMs: poll,
  onStep: (step) => console.log(styleText('dim', step)),
  onSwap({ number, kind, function: name, version, toLiveMs, afterPublishMs }) {
    console.log(
      `${String(number).padStart(4)} of ${swaps}  ${kind.padEnd(6)} ${name} ${version} live after ${inSeconds(toLiveMs)}, ${inSeconds(afterPublishMs)} of it after publishing`,
    )
  },
})
printSoak(soak)
if (soak.load.failed > 0) process.exitCode = 1

function printSoak({ swaps, load, before, after }: SwapSoak): void {
  const ofKind = (wanted: 'merge' | 'revert') => swaps.filter(({ kind }) => kind === wanted)
  const times = (wanted: 'merge' | 'revert'): string => {
    const live = ofKind(wanted).map(({ toLiveMs }) => toLiveMs)
    if (live.length === 0) return `0 ${wanted}s`
    const { p50, p99, max } = spreadOf(live)
    return `${live.length} ${wanted}s  live after p50 ${inSeconds(p50)}, p99 ${inSeconds(p99)}, at most ${inSeconds(max)}`
  }
  const failed = load.failed === 0 ? 'green' : 'red'
  console.log(`
${times('merge')}
${times('revert')}
${load.requests} requests, ${styleText(failed, `${load.failed} failed`)}; latency p50 ${load.p50Ms.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms, max ${load.maxMs.toFixed(1)} ms (the stream takes about 110 ms by itself)
BFF memory  RSS ${inMb(before.rssBytes)} before, ${inMb(after.rssBytes)} after; heap after a collection ${inMb(before.heapBytes)} before, ${inMb(after.heapBytes)} after`)
  for (const failure of load.failures) console.log(styleText('red', `  ${failure}`))
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function inMb(bytes: number | null): string {
  return bytes === null ? '–' : `${(bytes / 2 ** 20).toFixed(1)} MB`
}
