import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'

const root = join(import.meta.dirname, '..', '..', '..')

async function read<Content>(schema: z.ZodType<Content>, ...path: string[]): Promise<Content> {
  return schema.parse(JSON.parse(await readFile(join(...path), 'utf8')))
}

const versions = z.record(z.string(), z.string())
const peersSchema = z.object({ dependencies: versions, optionalDependencies: versions })
const rootSchema = z.object({ devDependencies: versions })
const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ resolved: z.string().optional() })),
})

it('pins every peer exactly, and none of them in the project itself', async () => {
  const peers = await read(peersSchema, import.meta.dirname, 'package.json')
  const { devDependencies } = await read(rootSchema, root, 'package.json')
  const pinned = { ...peers.dependencies, ...peers.optionalDependencies }
  expect(Object.values(pinned).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  expect(Object.keys(pinned).filter((name) => name in devDependencies)).toEqual([])
})

it('keeps the address of a registry out of the lock file', async () => {
  const { packages } = await read(lockSchema, import.meta.dirname, 'package-lock.json')
  expect(Object.values(packages).flatMap(({ resolved }) => resolved ?? [])).toEqual([])
})
