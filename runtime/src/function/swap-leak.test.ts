import { expect, it } from 'vitest'
import { judgeSwapLeak, runSwapLeak, type SwapMemory } from './testing/run-swap-leak.ts'

// nodejs/node#63186, nodejs/node#33439, module-federation/core#5030
it('keeps memory flat over 60 swaps of a 2 MB function with timers nobody clears', async () => {
  const findings = judgeSwapLeak(await runSwapLeak(60))
  expect(findings.filter(({ isMet }) => !isMet)).toEqual([])
}, 60_000)

const before: SwapMemory = { afterSwaps: 0, heapMb: 11, externalMb: 9, rssMb: 160, contexts: 1 }

it.each([
  { kept: 'nothing', of: {}, noticed: [] },
  { kept: 'nothing, but revisions by the trial itself', of: { heapMb: 11.4 }, noticed: [] },
  { kept: 'each artifact', of: { externalMb: 129, rssMb: 280 }, noticed: ['external', 'rss'] },
  { kept: 'each bare context', of: { heapMb: 20, contexts: 61 }, noticed: ['heap', 'contexts'] },
  { kept: 'each source', of: { heapMb: 131, rssMb: 280 }, noticed: ['heap', 'rss'] },
  { kept: 'memory V8 knows nothing of', of: { rssMb: 280 }, noticed: ['rss'] },
])('judges that $kept was kept', ({ of, noticed }) => {
  const findings = judgeSwapLeak([before, { ...before, afterSwaps: 60, ...of }])
  const names = ['heap', 'external', 'rss', 'contexts']
  expect(names.filter((_, at) => findings[at]?.isMet === false)).toEqual(noticed)
})
