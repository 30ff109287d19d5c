import { resolve } from 'node:path'
import { loadConfig, selectEnvironment } from '../config/load-config.ts'
import { isPipelineError, PipelineError } from '../errors.ts'
import { findRepository } from '../functions/find-repository.ts'
import { keyVariable } from '../keys/open-signer.ts'
import type { CommandIo } from './command.ts'
import type { EnvironmentOptions } from './environment-session.ts'

export interface EnvironmentLocation {
  /** Address of the store, for `openStore`. */
  readonly store: string
  /** Absolute path of the pinned trust root. */
  readonly trust: string
}

/**
 * Where the environment lies: `NEEDLE_STORE` and `NEEDLE_TRUST`, and for what they leave open
 * `functions/needle.config.ts`. With both set no repository is needed, so that an emergency needs
 * a store and a key only.
 *
 * The configuration is the authors' code, and author code never runs beside a key: with a private
 * key among the variables it is not loaded.
 *
 * @throws PipelineError `USAGE_INVALID` in that case, and as `loadConfig` does.
 */
export async function locateEnvironment(
  io: CommandIo,
  options: EnvironmentOptions,
): Promise<EnvironmentLocation> {
  const store = io.env['NEEDLE_STORE']
  const trust = io.env['NEEDLE_TRUST']
  if (store && trust) {
    const directory = repositoryOrCwd(io, options)
    return { store, trust: resolve(directory, trust) }
  }
  const key = Object.values(keyVariable).find((name) => io.env[name])
  if (key !== undefined) {
    throw new PipelineError(
      'USAGE_INVALID',
      `${key} is set, and functions/needle.config.ts, which is code, is not run beside a private key. Set NEEDLE_STORE and NEEDLE_TRUST as well, or give the key as --key <file> instead`,
    )
  }
  const directory = findRepository(io.cwd, options.repository)
  const config = await loadConfig(directory)
  return selectEnvironment(config, options.environment, { directory, env: io.env })
}

function repositoryOrCwd(io: CommandIo, options: EnvironmentOptions): string {
  try {
    return findRepository(io.cwd, options.repository)
  } catch (error) {
    if (isPipelineError(error, 'REPOSITORY_MISSING')) return io.cwd
    throw error
  }
}
