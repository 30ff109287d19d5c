import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { playgroundDirectories, projectRoot } from '../../playground/directories.ts'
import type { StoreEnv } from '../../playground/store-access.ts'
import { createWorkspace, type Files } from '../workspace.ts'
import { bundleHandlers } from './handler-modules.ts'
import { functionSource, manyGroup, manyPath } from './many-function.ts'

/** Two versions of many functions, published once as their authors would, in a store on disk. */
export interface ManyWorkspace {
  readonly functions: number
  /** Of the same handlers, for routes that are written by hand. */
  readonly handlersDirectory: string
  /** Makes this version of all functions the desired one, in one manifest. */
  select(version: 1 | 2): Promise<void>
  /** What a BFF needs to serve them (see `servers/needle-options.ts`), with a new, empty disk cache. */
  freshEnv(): Promise<StoreEnv>
  /** Removes the disk caches. */
  close(): Promise<void>
}

export interface ManyWorkspaceOptions {
  readonly functions: number
  /** Publishes although there is something to reuse. */
  readonly isFresh: boolean
  readonly onStep: (step: string) => void
}

/** Manifests live for 30 days. */
const maxAgeMs = 20 * 24 * 60 * 60 * 1000

export async function openManyWorkspace(options: ManyWorkspaceOptions): Promise<ManyWorkspace> {
  const { functions, onStep } = options
  if (process.env['NEEDLE_STORE'] !== undefined) {
    throw new Error('This is measured with a store on disk: unset NEEDLE_STORE.')
  }
  const name = join('bench-many', String(functions))
  const directories = playgroundDirectories(join(projectRoot, '.needle', name))
  const below = (file: string): string => join(directories.root, file)
  const manifest = join(directories.store, 'environments', 'production', 'manifest.json')
  const handlersDirectory = below('handlers')

  const recordFile = below('published.json')
  if (options.isFresh || !isUsable(await readRecord(recordFile))) {
    onStep(`Publishing ${functions} functions`)
    const workspace = await createWorkspace(name, functionFiles(functions, 1))
    try {
      await workspace.deployUnchecked('origin/main', `Publish ${functions} functions`)
      await copyFile(manifest, below('manifest-1.json'))
      onStep('Publishing another version of each')
      await workspace.merge(functionFiles(functions, 2), 'Change all functions')
      await workspace.deployUnchecked('origin/main', `Change ${functions} functions`)
      await copyFile(manifest, below('manifest-2.json'))
    } finally {
      await workspace.close()
    }
    await bundleHandlers(handlersDirectory, functions)
    const record: PublishRecord = { sources: functionSource(sample), publishedAt: Date.now() }
    await writeFile(recordFile, JSON.stringify(record))
  }

  const caches = below('caches')
  await rm(caches, { recursive: true, force: true })
  await mkdir(caches)
  return {
    functions,
    handlersDirectory,
    select: async (version) => {
      // All else that was published is immutable; an older manifest is new to who has seen neither.
      await copyFile(below(`manifest-${version}.json`), below('manifest.json'))
      await rename(below('manifest.json'), manifest)
    },
    freshEnv: async () => {
      return {
        NEEDLE_STORE: `file:${directories.store}`,
        NEEDLE_TRUST: join(directories.keys, 'trust-root.json'),
        NEEDLE_CACHE: await mkdtemp(join(caches, 'cache-')),
        NEEDLE_GROUP: manyGroup,
      }
    },
    close: () => rm(caches, { recursive: true, force: true }),
  }
}

/** Noted when everything is published, so that half of it is not reused. */
interface PublishRecord {
  readonly sources: string
  readonly publishedAt: number
}

const sample = { index: 0, version: 1 }

function isUsable(record: PublishRecord | null): boolean {
  if (record === null) return false
  const isYoung = Date.now() - record.publishedAt < maxAgeMs
  return isYoung && record.sources === functionSource(sample)
}

async function readRecord(file: string): Promise<PublishRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    // None, or of another version of this program: published anew.
    return null
  }
}

const recordSchema: z.ZodType<PublishRecord> = z.object({
  sources: z.string(),
  publishedAt: z.number(),
})

function functionFiles(count: number, version: number): Files {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `functions${manyPath(index)}/index.ts`,
      functionSource({ index, version }),
    ]),
  )
}
