import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createSigner,
  digestOf,
  generateSigningKey,
  type Manifest,
  type Role,
  signDocument,
  type Signer,
} from '@needle-faas/runtime/manifest'
import { needle } from '@needle-faas/runtime/fastify'
import { type ArtifactStore, createVerifiedReader } from '@needle-faas/runtime/store'
import type { SourceOptions } from '@needle-faas/runtime'
import Fastify, { type FastifyInstance } from 'fastify'
import { vi } from 'vitest'
import { openTrust } from '../../src/keys/open-trust.ts'
import { type CommandRun, runCommand } from '../author/run-command.ts'
import { createRepository, type Files, functionFiles, type TestRepository } from '../repository.ts'
import { fillStore, readStore } from './copy-store.ts'
import { type FaultyS3, startFaultyS3 } from './faulty-s3.ts'

/**
 * A repository that was built and published twice by `needle`, with a third commit built and
 * waiting, on an S3 server that can be spoilt, switched off and put back.
 */
export interface LiveEnvironment extends AsyncDisposable {
  readonly repository: TestRepository
  readonly s3: FaultyS3
  /** What the bucket holds, past every fault. */
  readonly store: ArtifactStore
  /** The variables that `needle` runs with: store, trust and release key. */
  readonly env: Readonly<Record<string, string>>
  /** Verified, as the second publish wrote it. */
  readonly manifest: Manifest
  /** Commits code of `shop/card` that answers `answerOf(n)`; resolves to the commit. */
  commitCard(n: number): Promise<string>
  /** Runs `needle` with the release key and without `--json`, as a job would. */
  needle(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandRun>
  /**
   * Builds the newest commit without a key and publishes it, as jobs would; resolves to what
   * `publish` says. Throws when that fails.
   */
  deploy(): Promise<string>
  /** The BFF that serves since the last `startAfresh`. */
  readonly bff: FastifyInstance
  /** What it answers for `shop/card`. */
  answer(): Promise<unknown>
  /** A BFF with the plugin, started and serving; polls only when told. Closed with the environment. */
  startBff(
    source?: Partial<SourceOptions>,
    options?: { readonly report?: boolean; readonly probeIntervalMs?: number },
  ): Promise<FastifyInstance>
  signer(role: Role): Promise<Signer>
  /** One more manifest like the newest, but for what is given, signed by whom is given. */
  forge(changes: Partial<Manifest>, signer: Signer): Promise<Uint8Array>
  /** Puts the store back to how it was after the second publish. */
  restore(): Promise<void>
  /** The same, with a new `bff` on it. */
  startAfresh(): Promise<void>
}

/** What `shop/card` answers at the commit `n`, from 1. */
export const answerOf = (n: number): object => ({ card: n })

/** The file of `shop/card` whose handler has this body, with what else it declares. */
export const cardThat = (does: string, declares = ''): Files => ({
  'functions/shop/card/index.ts': `import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'GET', path: '/shop/card' },
  ${declares}
  handler: async () => { ${does} },
})
`,
})

/** The same at the commit `n`. */
export const cardAt = (n: number): Files => cardThat(`return { card: ${n} }`)

export async function createLiveEnvironment(): Promise<LiveEnvironment> {
  const repository = await createRepository({ ...functionFiles('shop/card'), ...cardAt(1) })
  const { directory } = repository
  const s3 = await startFaultyS3()
  // The SDK looks for credentials in the process, not in what a command is given. Any will do here.
  if (process.env['AWS_ACCESS_KEY_ID'] === undefined)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key').stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  const trustFile = join(directory, '.needle/keys/trust-root.json')
  const located = { NEEDLE_STORE: s3.url, NEEDLE_TRUST: trustFile }
  const readKey = (role: Role): Promise<string> =>
    readFile(join(directory, `.needle/keys/${role}.jwk.json`), 'utf8')

  const expectSuccess = async (args: readonly string[], env = {}): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCommand(args, {
      cwd: directory,
      env: { ...located, ...env },
    })
    if (exitCode !== 0) throw new Error(`needle ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const build = (out: string): Promise<string> =>
    expectSuccess(['build', '--environment', 'production', '--out', out])
  const publish = (from: string): Promise<string> =>
    expectSuccess(['publish', '--build', from], withKey)
  await expectSuccess(['keys', 'init'])
  const withKey = { NEEDLE_RELEASE_KEY: await readKey('release') }

  const commitCard = (n: number): Promise<string> => repository.commit(cardAt(n), `Card ${n}`)
  for (const n of [1, 2, 3]) {
    await commitCard(n)
    await build(`.needle/build-${n}`)
    if (n < 3) await publish(`.needle/build-${n}`)
  }
  const store = s3.contents
  const snapshot = await readStore(store)
  const root = (await openTrust(store, trustFile)).newest
  const read = await createVerifiedReader({ store, environment: 'production', root }).manifest()
  if (read.status !== 'found') throw new Error('nothing was published')
  const { document: manifest } = read

  const restore = async (): Promise<void> => {
    s3.fault = 'none'
    await fillStore(store, snapshot)
  }

  const bffs: FastifyInstance[] = []
  let bff: FastifyInstance | null = null
  const startBff: LiveEnvironment['startBff'] = async (source, options = {}) => {
    const app = Fastify()
    bffs.push(app)
    await app.register(needle, {
      source: { store: s3.url, pollIntervalMs: 60_000, ...source },
      groups: ['shop'],
      trust: trustFile,
      report: false,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      ...options,
    })
    await app.ready()
    return app
  }

  const environment: LiveEnvironment = {
    repository,
    s3,
    store,
    env: { ...located, ...withKey },
    manifest,
    commitCard,
    needle: (args, env = {}) =>
      runCommand(args, { cwd: directory, env: { ...located, ...withKey, ...env } }),
    deploy: async () => {
      await build('.needle/build')
      return publish('.needle/build')
    },
    startBff,
    signer: async (role) => createSigner(JSON.parse(await readKey(role))),
    forge: (changes, signer) =>
      signDocument({ kind: 'manifest', payload: { ...manifest, ...changes } }, [signer]),
    restore,
    startAfresh: async () => {
      await bff?.close()
      await restore()
      bff = await startBff()
    },
    get bff() {
      if (bff === null) throw new Error('startAfresh() starts it')
      return bff
    },
    answer: async () => (await environment.bff.inject('/shop/card')).json(),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(bffs.map((app) => app.close()))
      vi.unstubAllEnvs()
      await s3.close()
      await repository[Symbol.asyncDispose]()
    },
  }
  return environment
}

/** A signer that no trust root names. */
export async function createStranger(): Promise<Signer> {
  return createSigner((await generateSigningKey()).privateJwk)
}

/** Everything in the store by key, but for the probes of publishers. */
export async function readObjects(store: ArtifactStore): Promise<ReadonlyMap<string, string>> {
  const objects = [...(await readStore(store))].filter(([key]) => !key.endsWith('/probe.json'))
  return new Map(objects.map(([key, bytes]) => [key, digestOf(bytes)]))
}
