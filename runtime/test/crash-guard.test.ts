import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const host = fileURLToPath(new URL('./support/crash-host.ts', import.meta.url))

interface End {
  readonly code: number | string | null
  readonly lines: readonly string[]
  readonly stderr: string
}

function run(mode: string): Promise<End> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=needle-source', host, mode],
      (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, lines: stdout.trim().split('\n'), stderr }),
    )
  })
}

const charged = '{"body":1,"charged":["finalizer","microtask","promise","timer"]}'

it('goes on after what a function left behind failed, and charges it', async () => {
  expect(await run('stray')).toMatchObject({ code: 0, lines: [charged] })
})

it("ends as without Needle by the host's own unhandled rejection", async () => {
  const { code, lines, stderr } = await run('own')
  expect({ code, lines }).toEqual({ code: 1, lines: [charged] })
  expect(stderr).toContain("the host's own")
})

it("keeps a function's failures from the host's listeners, and the host's own for them", async () => {
  expect(await run('listener')).toMatchObject({
    code: 7,
    lines: [charged, "the host heard: the host's own"],
  })
})
