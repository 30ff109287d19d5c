import type { AddCommand } from './command.ts'
import { addNewCommand } from './new.ts'

/** In the order in which `needle --help` lists them: a change's way from an idea to production. */
export const commands: readonly AddCommand[] = [addNewCommand]
