import type { AddCommand } from './command.ts'

/** In the order in which `needle --help` lists them: a change's way from an idea to production. */
export const commands: readonly AddCommand[] = []
