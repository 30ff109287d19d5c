import { join } from 'node:path'

/** The Needle checkout these scripts belong to. */
export const projectRoot = join(import.meta.dirname, '..', '..')

/** Where one playground keeps everything; deleting `root` starts over. */
export interface PlaygroundDirectories {
  readonly root: string
  /** The bare Git repository that plays the part of GitHub. */
  readonly origin: string
  /** The clone a person edits and pushes from. */
  readonly work: string
  /** The deploy loop's own clone; made anew at every start. */
  readonly deploy: string
  readonly keys: string
  readonly store: string
  /** The BFF's last known good. */
  readonly cache: string
}

export function playgroundDirectories(root: string): PlaygroundDirectories {
  const below = (name: string): string => join(root, name)
  return {
    root,
    origin: below('origin.git'),
    work: below('work'),
    deploy: below('deploy'),
    keys: below('keys'),
    store: below('store'),
    cache: below('cache'),
  }
}
